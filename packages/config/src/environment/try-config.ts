import { ConfigError, describeProblem } from '../problems/config-error.ts';

/**
 * Reads a configuration that is to take the place of another one: a wrong one is no exception then, and its problems are said
 * without values.
 */
export function tryConfig<T>(
  read: () => T,
): { readonly kind: 'read'; readonly config: T } | { readonly kind: 'refused'; readonly problems: string[] } {
  try {
    return { kind: 'read', config: read() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { kind: 'refused', problems: error.problems.map(describeProblem) };
  }
}
