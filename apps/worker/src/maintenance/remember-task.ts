import { isKohaFailure } from '../koha/koha-failure.ts';
import type { Task } from './start-tasks.ts';
import type { CopyMemory } from '../koha/copy-memory.ts';
import { readTimings } from '../sources.ts';
import type { WorkContext } from '../work-context.ts';

/** It gives way to a library's desks no longer than this. */
const GIVE_WAY_MS = 600_000;
/** One after the other, the libraries of a large consortium would write less in an hour than is copied there. */
const LIBRARIES_AT_ONCE = 16;

/**
 * Stores what waits for each library whose desks need nothing at the moment, of some libraries at once. One in trouble keeps nobody else's
 * waiting; its own is stored another time.
 */
export function rememberTask({
  consortium: { libraries },
  memory,
  isBusy,
  monotonicNow,
  timings: { rememberMs } = readTimings(),
}: Pick<WorkContext, 'consortium' | 'isBusy' | 'monotonicNow' | 'timings'> & {
  readonly memory: Pick<CopyMemory, 'store' | 'waiting'>;
}): Task {
  const busySince = new Map<string, number>();
  const mayGoOn = (lending: string): boolean => {
    if (!isBusy(lending)) {
      busySince.delete(lending);
      return true;
    }
    const since = busySince.get(lending) ?? monotonicNow();
    busySince.set(lending, since);
    return monotonicNow() - since >= GIVE_WAY_MS;
  };
  const lenders = libraries.filter(({ enabled, retry }) => enabled && retry.tellKoha).map(({ id }) => id);
  const storeEach = async (waiting: Iterable<string>): Promise<void> => {
    for (const lending of waiting) {
      await memory.store(lending, mayGoOn).catch((error: unknown) => {
        if (!isKohaFailure(error)) throw error;
      });
    }
  };
  const work = async (): Promise<void> => {
    const waiting = (await memory.waiting(lenders)).values();
    const all = await Promise.allSettled(Array.from({ length: LIBRARIES_AT_ONCE }, () => storeEach(waiting)));
    const failed = all.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  };
  return { name: 'memory of copies', everyMs: rememberMs, work };
}
