import type { KohaPatron } from '@passport/koha-client';
import { type SweepCall, isOfOneRecord } from './sweep-calls.ts';

/** So many records in a row that Koha cannot show mean that it is in trouble, and not they. */
const MOST_BROKEN = 5;

/** The home records of a page of copies. Who is in neither was not answered. */
export interface HomeRecords {
  readonly found: ReadonlyMap<number, KohaPatron>;
  readonly unreadable: ReadonlySet<number>;
}

/**
 * Reads home records by their numbers in one call. Where Koha fails at the batch, it is halved until the record that breaks it is
 * alone, so that the others are read. Throws KohaError or LibraryClosed where the library is in trouble.
 */
export async function readHomeRecords(
  call: SweepCall,
  home: string,
  numbers: readonly number[],
  changedSince: Date | null,
): Promise<HomeRecords> {
  const found = new Map<number, KohaPatron>();
  const unreadable = new Set<number>();
  let broken = 0;
  const read = async (batch: readonly number[]): Promise<void> => {
    try {
      const since = changedSince === null ? {} : { changedSince };
      const page = await call(home, (koha) => koha.readPatrons(batch, since));
      for (const patron of page.patrons) found.set(patron.patronId, patron);
      for (const id of page.unreadable) unreadable.add(id);
      broken = 0;
    } catch (error) {
      const [only] = batch;
      if (!isOfOneRecord(error) || only === undefined) throw error;
      if (batch.length === 1) {
        broken += 1;
        if (broken >= MOST_BROKEN) throw error;
        unreadable.add(only);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await read(batch.slice(0, middle));
      await read(batch.slice(middle));
    }
  };
  await read(numbers);
  return { found, unreadable };
}
