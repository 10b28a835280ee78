import { type Redis, sharedRead } from '@passport/runtime';
import { readProcesses } from './live-processes.ts';
import type { ScanJobs } from '../scans/index.ts';

const DEADLINE_MS = 1_000;
/** Redis lists every connection, and desks poll: an answer is good for this long. */
const KEPT_MS = 1_000;

/**
 * Whether any worker is there: connected to the queue of scans and, where workers announce themselves (those of an earlier
 * version do not), one that did so lately. A Redis that does not list its connections counts as having one: nobody is to
 * hear that the service is stopped on a guess.
 */
export function buildHasWorker(redis: Redis, queue: ScanJobs): () => Promise<boolean> {
  const read = async (): Promise<boolean> => {
    const [connected, processes] = await Promise.all([queue.getWorkersCount(), readProcesses(redis)]);
    const announced = processes.filter(({ kind }) => kind === 'worker');
    return connected > 0 && (announced.length === 0 || announced.some(({ isLive }) => isLive));
  };
  const shared = sharedRead(DEADLINE_MS, read, 'looking for workers', KEPT_MS);
  return async () => (await shared()) !== false;
}
