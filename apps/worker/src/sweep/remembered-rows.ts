import { type RememberedCopy, readInHalves } from '@passport/koha-client';
import type { SweepCall } from '../koha/sweep-calls.ts';

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
