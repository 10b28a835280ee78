import type { Library } from '@passport/config';
import { createKohaClient, type KohaClientOptions } from '@passport/koha-client';
import type { CliDeps } from '../program/index.ts';

export { attempt } from '@passport/koha-client';

const CALLS = 4;

export type OpenKoha = ReturnType<typeof createKohaClient>;

/** The client of one library's Koha, as the worker makes it. `watch` hears of its calls. */
export function openKoha(
  { id, koha }: Library,
  { now }: Pick<CliDeps, 'now'>,
  watch: Pick<KohaClientOptions, 'onCall' | 'onShape'> = {},
): OpenKoha {
  return createKohaClient({
    ...watch,
    library: id,
    url: koha.url,
    clientId: koha.clientId.reveal(),
    clientSecret: koha.clientSecret.reveal(),
    timeoutMs: koha.timeoutMs,
    // One person's question after the other.
    maxInFlight: koha.maxInFlight === 'auto' ? CALLS : koha.maxInFlight,
    now,
  });
}

/** The client of a library's Koha; throws RangeError for one that was not opened. */
export type KohaOf = (library: string) => OpenKoha;

/** Opens the clients of these libraries for one piece of work, and closes them. */
export async function withKohas<T>(
  libraries: readonly Library[],
  deps: Pick<CliDeps, 'now'>,
  work: (kohaOf: KohaOf) => Promise<T>,
): Promise<T> {
  const clients = new Map(libraries.map((library) => [library.id, openKoha(library, deps)]));
  try {
    return await work((id) => {
      const client = clients.get(id);
      if (client === undefined) throw new RangeError(`no client for library ${id}`);
      return client;
    });
  } finally {
    for (const client of clients.values()) client.close();
  }
}
