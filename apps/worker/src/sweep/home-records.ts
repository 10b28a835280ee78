import { type KohaPatron, readInHalves } from '@passport/koha-client';
import type { SweepCall } from '../koha/sweep-calls.ts';

/** The home records of a page of copies. A patron in neither was not in the answer. */
export interface HomeRecords {
  readonly found: ReadonlyMap<number, KohaPatron>;
  readonly unreadable: ReadonlySet<number>;
}

/** Reads home records by their numbers in one call, and past those that Koha fails at. Throws KohaError or LibraryClosed. */
export async function readHomeRecords(
  call: SweepCall,
  home: string,
  numbers: readonly number[],
  changedSince: Date | null,
): Promise<HomeRecords> {
  const found = new Map<number, KohaPatron>();
  const unreadable = new Set<number>();
  const since = changedSince === null ? {} : { changedSince };
  const unread = await readInHalves(numbers, async (batch) => {
    const page = await call(home, (koha) => koha.readPatrons(batch, since));
    for (const patron of page.patrons) found.set(patron.patronId, patron);
    for (const id of page.unreadable) unreadable.add(id);
  });
  for (const id of unread) unreadable.add(id);
  return { found, unreadable };
}
