import type { Library } from '@passport/config';
import type { OpenKohaClient } from '@passport/koha-client';

type CappedClient = Pick<OpenKohaClient, 'about' | 'setMaxInFlight' | 'waiting'>;

export type CallCaps = ReturnType<typeof buildCallCaps>;

/** Where nobody knows how many web workers a Koha has, and the most of one that has more. */
const MOST_CALLS = 8;
const RETRY_EVERY_MS = 3_600_000;
/** The plugin may be missing, or away. */
const RETRY_AFTER_FAILURE_MS = 300_000;

/**
 * Builds what limits how many calls are under way at a Koha at once. A Koha with two web workers that gets eight of them serves two, and a
 * staff page waits behind the other six; so where the file leaves it open, the cap is what the plugin says it can serve.
 */
export function buildCallCaps(
  libraries: readonly Pick<Library, 'id' | 'koha'>[],
  monotonicNow: () => number,
) {
  const clients = new Map<string, CappedClient>();
  const caps = new Map(libraries.map(({ id, koha }) => [id, startingCap(koha)]));
  const nextReadAt = new Map(libraries.filter(isOpen).map(({ id }) => [id, -Infinity]));

  const learn = async (library: string): Promise<void> => {
    const client = clients.get(library);
    const workers = (await client?.about())?.plack_workers ?? null;
    const cap = workers === null ? MOST_CALLS : Math.min(Math.max(workers, 1), MOST_CALLS);
    caps.set(library, cap);
    client?.setMaxInFlight(cap);
    nextReadAt.set(library, monotonicNow() + RETRY_EVERY_MS);
  };
  return {
    /** The client whose cap it is. */
    attach: (library: string, client: CappedClient): void => void clients.set(library, client),
    of: (library: string): number => caps.get(library) ?? 1,
    /** Calls that wait for a place under the cap. */
    waiting: (library: string): number => clients.get(library)?.waiting ?? 0,
    /** Several calls are under way there at once: from now on the cap matters. */
    crowded(library: string): void {
      if (monotonicNow() < (nextReadAt.get(library) ?? Infinity)) return;
      nextReadAt.set(library, monotonicNow() + RETRY_AFTER_FAILURE_MS);
      learn(library).catch(() => undefined); // it stays as it is; the calls of the scans show what is wrong there
    },
  };
}

const isOpen = ({ koha }: Pick<Library, 'koha'>): boolean => koha.maxInFlight === 'auto';

/** The cap of a library that nobody has called yet. */
export function startingCap({ maxInFlight }: Pick<Library['koha'], 'maxInFlight'>): number {
  return maxInFlight === 'auto' ? MOST_CALLS : maxInFlight;
}
