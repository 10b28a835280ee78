import type { KohaClient } from '@passport/koha-client';
import { repeatAtOnce } from '../koha/of-the-moment.ts';
import type { StepDeps } from './step.ts';

/**
 * Makes one read at a library, again where an error of the moment came back: a try needs up to four reads before it may write, so
 * that at a Koha that fails half of its calls one try of sixteen would get that far (docs/decisions/0006). Throws KohaError or
 * LibraryClosed.
 */
export function readAt<T>(
  library: string,
  read: (koha: KohaClient, options: { readonly signal: AbortSignal }) => Promise<T>,
  deps: Pick<StepDeps, 'libraries' | 'signal' | 'pause' | 'monotonicNow'>,
): Promise<T> {
  const { libraries, signal } = deps;
  return repeatAtOnce(() => libraries.call(library, (koha) => read(koha, { signal })), deps);
}
