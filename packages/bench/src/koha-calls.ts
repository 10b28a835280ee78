import type { Kohas } from './start-kohas.ts';

/** A call that a Koha has answered, or has open. */
interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation: string | null;
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

/** How often each operation was called at each Koha since `forgetCalls`: `home GET /patrons` and so on. */
export async function countByOperation(
  kohas: Kohas,
  isCounted: (call: Call) => boolean,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { id } of kohas.kohas) {
    for (const call of ((await kohas.control(id, 'GET', 'calls')) as readonly Call[]).filter(isCounted)) {
      const name = `${id} ${call.operation ?? `${call.method} ${call.path}`}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}
