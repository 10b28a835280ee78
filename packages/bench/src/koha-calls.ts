import type { Kohas } from './start-kohas.ts';

/** A call that a Koha has answered, or has open. */
interface Call {
  readonly path: string;
}

/** Calls that move a patron or a report; tokens, Koha's description and the plugin's own facts are queried now and then. */
export const isWorkCall = ({ path }: Call): boolean =>
  !/^\/api\/v1\/(?:oauth\/token|contrib\/passport\/about|\.html|)$/.test(path);

export async function forgetCalls(kohas: Kohas): Promise<void> {
  await Promise.all(kohas.kohas.map(({ id }) => kohas.control(id, 'DELETE', 'calls')));
}

/** Has every stand-in take so long for a call from now on. */
export async function setLatency(kohas: Kohas, ms: number): Promise<void> {
  await Promise.all(kohas.kohas.map(({ id }) => kohas.control(id, 'PUT', 'settings', { latency_ms: ms })));
}

/** How many such calls there were at all Kohas since `forgetCalls`. */
export async function countCalls(kohas: Kohas, isCounted: (call: Call) => boolean): Promise<number> {
  const calls = await Promise.all(kohas.kohas.map(({ id }) => kohas.control(id, 'GET', 'calls')));
  return (calls.flat() as Call[]).filter(isCounted).length;
}
