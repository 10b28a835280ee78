import { isKohaFailure } from '../koha/koha-failure.ts';
import type { Task } from './start-tasks.ts';
import type { CopyMemory } from '../koha/copy-memory.ts';
import { readTimings } from '../sources.ts';
import type { WorkContext } from '../work-context.ts';

/** It gives way to a library's desks no longer than this. */
const GIVE_WAY_MS = 600_000;

/**
 * Stores what waits for each library whose desks need nothing at the moment. One in trouble keeps nobody else's waiting; its
 * own is stored another time.
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
  const work = async (): Promise<void> => {
    for (const lending of await memory.waiting(lenders)) {
      await memory.store(lending, mayGoOn).catch((error: unknown) => {
        if (!isKohaFailure(error)) throw error;
      });
    }
  };
  return { name: 'memory of copies', everyMs: rememberMs, work };
}
