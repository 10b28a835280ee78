import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from './clock.ts';
import { buildRequests, sendLoad } from './signed-load.ts';
import { LENDING } from './start-bench.ts';
import type { Kohas } from './start-kohas.ts';
import type { Stack } from './start-stack.ts';

/** Queues events as fast as the receiver takes them. Throws when one is refused. */
export async function queueEvents(
  { services, secretOf }: Pick<Stack, 'services' | 'secretOf'>,
  count: number,
  data: (index: number) => Readonly<Record<string, unknown>>,
  library = LENDING,
): Promise<void> {
  const url = `${services.receivers[0]?.url}/webhooks/${library}`;
  const requests = buildRequests({ url, secret: secretOf(library), count, data });
  const { refused } = await sendLoad(url, requests, { connections: Math.min(50, count) });
  if (refused > 0) throw new Error(`${refused} of ${count} events were refused`);
}

export interface Drained {
  readonly rate: number;
  /** False when the patience ended first; `rate` is then that of what had ended. */
  readonly isWhole: boolean;
}

/** Events per second from the `from`-th end after the `base`-th to the `to`-th; waits for it, but not for ever. */
export async function drainRate(
  kohas: Kohas,
  ends: { readonly from: number; readonly to: number; readonly base?: number },
  patienceMs: number,
): Promise<Drained> {
  const { from, to, base = 0 } = ends;
  const startedAt = preciseNow();
  const patience = new AbortController();
  const late = sleep(patienceMs, null, { signal: patience.signal }).catch(() => null);
  const first = await Promise.race([kohas.nthEnd(base + from), late]);
  const last = await Promise.race([kohas.nthEnd(base + to), late]);
  patience.abort();
  if (first !== null && last !== null) return { rate: (1_000 * (to - from)) / (last - first), isWhole: true };
  const seconds = (preciseNow() - (first ?? startedAt)) / 1_000;
  const ended = kohas.endCount - base - (first === null ? 0 : from);
  return { rate: ended / seconds, isWhole: false };
}
