import { setTimeout as sleep } from 'node:timers/promises';
import { openSweepQueue, readOwedByHome } from '@passport/queue';
import type { CliDeps } from '../../program/cli-deps.ts';
import { Failure } from '../../program/failure.ts';
import type { Report } from '../../program/report.ts';
import type { OpenQueue } from '../../connect/with-queue.ts';

const LOOK_EVERY_MS = 500;
/** A worker reads at once, unless it has a sweep to do. */
const READ_WITHIN_MS = 120_000;

/** Has a worker read what the copies at these lending libraries owe, one after the other, and waits for it. Throws Failure. */
export async function readNow(
  open: OpenQueue,
  lenders: readonly string[],
  { progress }: Report,
  { signal }: CliDeps,
): Promise<void> {
  const queue = openSweepQueue(open.redis);
  try {
    for (const lending of lenders) {
      progress(`${lending}: reading`);
      const since = await open.now();
      const job = await queue.add(`owed.${lending}`, { kind: 'owed', library: lending });
      while ((await job.getState()) !== 'completed') {
        if (signal.aborted)
          throw new Failure('it is read without this command', { code: 'interrupted', library: lending });
        if ((await open.now()) - since > READ_WITHIN_MS) {
          const why = (await queue.getJob(job.id ?? ''))?.failedReason ?? 'no worker has done it yet';
          throw new Failure(`${lending}: not read: ${why}`, { code: 'not_read', library: lending });
        }
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
      if (!(await hasReading(open, lending, since))) {
        throw new Failure(`${lending}: its Koha has no plugin that can say what copies owe`, {
          code: 'no_plugin',
          library: lending,
        });
      }
    }
  } finally {
    await queue.close();
  }
}

/** The worker's clock dates the readings, and this one is Redis's: a minute between them says nothing. */
const CLOCKS_APART_MS = 60_000;

async function hasReading({ redis }: OpenQueue, lending: string, sinceMs: number): Promise<boolean> {
  const readings = await readOwedByHome(redis, lending);
  return [...readings.values()].some(({ read_ms: readMs }) => readMs > sinceMs - CLOCKS_APART_MS);
}
