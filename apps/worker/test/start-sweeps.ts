import { randomUUID } from 'node:crypto';
import { openReceipts } from '@passport/queue/copies';
import { type Logger, closeRedis } from '@passport/runtime';
import { type SweepWorker, type SweepWorkerDeps, startSweepWorker } from '../src/sweep/sweep-worker.ts';
import type { EmptyRedis } from './empty-redis.ts';
import type { SweepBench } from './sweep-bench.ts';

/** What a worker process does at night, on a connection of its own. */
export interface Sweeps extends Pick<SweepWorker, 'queueNights'> {
  /** Once, however often it is called. */
  stop(): Promise<void>;
}

/** Starts the sweeps of one worker process of a bench, which no desk holds up, and by default no pause. */
export async function startSweeps(
  { consortium, libraries }: Pick<SweepBench, 'consortium' | 'libraries'>,
  { redis, log, connect }: Pick<EmptyRedis, 'redis' | 'connect'> & { readonly log: Logger },
  { now = Date.now, ...others }: Partial<Pick<SweepWorkerDeps, 'now' | 'slices' | 'pauseLeft'>> = {},
): Promise<Sweeps> {
  const connection = await connect('sweeps');
  const worker = await startSweepWorker({
    consortium,
    connection,
    redis,
    receipts: openReceipts(redis),
    keys: [{ reveal: () => Buffer.alloc(32, 7) }] as never,
    libraries,
    isBusy: () => false,
    pauseLeft: () => null,
    pause: () => Promise.resolve(),
    monotonicNow: () => performance.now(),
    newId: randomUUID,
    now,
    log,
    ...others,
  });
  let stopped: Promise<void> | null = null;
  return {
    queueNights: worker.queueNights,
    stop: () => (stopped ??= worker.close().then(() => closeRedis(connection))),
  };
}
