import { type Draft, at, validFile } from './valid-file.ts';

/** One thing that is wrong with an otherwise right file. */
export interface Fault {
  readonly break: (file: Draft) => void;
  readonly path: string;
  readonly problem: RegExp;
  readonly allowed?: RegExp;
  readonly env?: NodeJS.ProcessEnv;
}

/** Puts a value at a place. */
export const set =
  (...steps: (string | number)[]) =>
  (value: unknown) =>
  (file: Draft): void => {
    const key = steps.at(-1) ?? '';
    at(file, ...steps.slice(0, -1))[key] = value;
  };
/** Puts a value at a place of the first library. */
export const inLibrary = (...steps: (string | number)[]) => set('libraries', 0, ...steps);
/** Takes away what is at a place. */
export const drop = (steps: (string | number)[]) => (file: Draft) => {
  delete at(file, ...steps.slice(0, -1))[steps.at(-1) ?? ''];
};
/** Replaces the agreements by a list. */
export const pairs = (...list: unknown[]) => set('agreements')(list);

/** The `koha` section of the valid file's first library. */
export function libraryKoha(): Draft {
  return at(validFile(), 'libraries', 0, 'koha');
}
