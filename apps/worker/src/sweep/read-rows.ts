import type { Library } from '@passport/config';
import { type KohaPatron, type RememberedCopy, readInHalves } from '@passport/koha-client';
import type { SweepCall } from '../koha/sweep-calls.ts';

/** The home records of a page of copies. A patron in neither was not in the answer. */
export interface HomeRecords {
  readonly found: ReadonlyMap<number, KohaPatron>;
  readonly unreadable: ReadonlySet<number>;
}

/** Whether what the patrons of copies owe at home is needed: that alone is read, and by no other. */
export const needsBalance = ({ standing, eligibility }: Library): boolean =>
  standing !== 'off' && eligibility.maxDebt !== null;

/** Reads home records by their numbers in one call, and past those that Koha fails at. Throws KohaError or LibraryClosed. */
export async function readHomeRecords(
  call: SweepCall,
  home: string,
  numbers: readonly number[],
  { changedSince, balance }: { readonly changedSince: Date | null; readonly balance: boolean },
): Promise<HomeRecords> {
  const found = new Map<number, KohaPatron>();
  const unreadable = new Set<number>();
  const wanted = { balance, ...(changedSince === null ? {} : { changedSince }) };
  const unread = await readInHalves(numbers, async (batch) => {
    const page = await call(home, (koha) => koha.readPatrons(batch, wanted));
    for (const patron of page.patrons) found.set(patron.patronId, patron);
    for (const id of page.unreadable) unreadable.add(id);
  });
  for (const id of unread) unreadable.add(id);
  return { found, unreadable };
}

/** What is remembered of a page of copies, by Koha's numbers. A copy in neither is not remembered. */
export interface RememberedRows {
  readonly found: ReadonlyMap<number, RememberedCopy>;
  readonly unreadable: ReadonlySet<number>;
}

/** Reads what is remembered of these copies, ordered by Koha's number, in one call. Throws KohaError or LibraryClosed. */
export async function readRememberedRows(
  call: SweepCall,
  lending: string,
  numbers: readonly number[],
): Promise<RememberedRows> {
  const found = new Map<number, RememberedCopy>();
  const unread = await readInHalves(numbers, async (batch) => {
    const [first = 1, last = 1] = [batch.at(0), batch.at(-1)];
    const rows = await call(lending, (koha) =>
      koha.readRememberedCopies({ after: first - 1, upTo: last, wanted: batch }),
    );
    for (const row of rows ?? []) found.set(row.patronId, row);
  });
  return { found, unreadable: new Set(unread) };
}
