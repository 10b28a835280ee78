import type { Library } from '@passport/config';
import { createKohaClient } from '@passport/koha-client';
import type { CliDeps } from '../program/cli-deps.ts';

const CALLS = 4;

export type OpenKoha = ReturnType<typeof createKohaClient>;

/** The client of one library's Koha, as the worker makes it. */
export function openKoha({ id, koha }: Library, { now }: Pick<CliDeps, 'now'>): OpenKoha {
  return createKohaClient({
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

export type OpenKohas = ReturnType<typeof openKohas>;

/** The clients of several libraries, closed together. */
export function openKohas(libraries: readonly Library[], deps: Pick<CliDeps, 'now'>) {
  const clients = new Map(libraries.map((library) => [library.id, openKoha(library, deps)]));
  return {
    of: (id: string): OpenKoha => {
      const client = clients.get(id);
      if (client === undefined) throw new RangeError(`no client for library ${id}`);
      return client;
    },
    close: (): void => {
      for (const client of clients.values()) client.close();
    },
  };
}
