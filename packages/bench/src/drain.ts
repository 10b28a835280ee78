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

/** Events per second from the `from`-th end after the `base`-th to the `to`-th; waits until it has come. */
export async function rateOfEnds(kohas: Kohas, from: number, to: number, base: number): Promise<number> {
  const first = await kohas.nthEnd(base + from);
  const last = await kohas.nthEnd(base + to);
  return (1_000 * (to - from)) / (last - first);
}
