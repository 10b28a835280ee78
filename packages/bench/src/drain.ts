import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from './clock.ts';
import { buildRequests, sendLoad } from './signed-load.ts';
import { LENDING } from './start-bench.ts';
import type { Bench } from './start-bench.ts';

const LOOK_EVERY_MS = 50;

/** Queues events as fast as the receiver takes them. Throws when one is refused. */
export async function queueEvents(
  bench: Bench,
  count: number,
  data: (index: number) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const url = `${bench.services.receivers[0]?.url}/webhooks/${LENDING}`;
  const requests = buildRequests({ url, secret: bench.secret, count, data });
  const { refused } = await sendLoad(url, requests, { connections: 50 });
  if (refused > 0) throw new Error(`${refused} of ${count} events were refused`);
}

/** How many events the workers have ended, and when that was seen. */
export interface Mark {
  readonly ended: number;
  readonly at: number;
}

/** Watches the workers until they have ended `until` events in all; returns what was seen on the way. */
export async function watchDrain(bench: Bench, until: number): Promise<readonly Mark[]> {
  const marks: Mark[] = [];
  for (;;) {
    const ended = await countEnded(bench);
    marks.push({ ended, at: preciseNow() });
    if (ended >= until) return marks;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Events per second between two numbers of ended events, by the nearest marks. */
export function rateBetween(marks: readonly Mark[], from: number, to: number): number {
  const first = marks.findLast(({ ended }) => ended <= from) ?? marks[0];
  const last = marks.find(({ ended }) => ended >= to) ?? marks.at(-1);
  if (first === undefined || last === undefined || last.at === first.at)
    throw new RangeError('too few marks');
  return (1_000 * (last.ended - first.ended)) / (last.at - first.at);
}

async function countEnded({ services }: Bench): Promise<number> {
  const texts = await Promise.all(services.workers.map((worker) => worker.metrics()));
  const rows = Array.from(texts.join('\n').matchAll(/^passport_jobs_total\{[^}]*\} (\d+)$/gm));
  return rows.reduce((sum, [, count]) => sum + Number(count), 0);
}
