import type { Secret } from '../secrets/secret.ts';

/** A value that is frozen with all that it holds. */
export type Frozen<T> = T extends Secret<unknown> | RegExp | ((...args: never[]) => unknown)
  ? T
  : { readonly [Key in keyof T]: Frozen<T[Key]> };

/** Freezes a value and all that it holds, and returns it. */
export function deepFreeze<T>(value: T): Frozen<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value as Frozen<T>;
}
