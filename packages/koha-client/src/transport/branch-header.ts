import { KohaError } from '../errors/koha-error.ts';
import type { KohaOperation } from './effect-of.ts';

/**
 * The header that makes Koha act as this branch. A code that no header can carry is no branch of any Koha, so it is refused
 * here the way Koha refuses an unknown one: KohaError `permission` that names the branch.
 */
export function branchHeader(
  library: string,
  operation: KohaOperation,
  branch: string,
): Record<string, string> {
  if (!/^[\x21-\x7e]+$/.test(branch)) {
    throw new KohaError({ code: 'permission', library, operation, effect: 'none', branch });
  }
  return { 'x-koha-library': branch };
}
