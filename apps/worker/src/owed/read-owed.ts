import type { Library } from '@passport/config';
import type { OwedByCopy } from '@passport/koha-client';
import type { ReadCopyRecords } from '@passport/queue/copies';
import type { OwedPage } from '@passport/queue/sweeps';
import type { SweepCall } from '../koha/sweep-calls.ts';
import type { Slice } from '../koha/slice.ts';

/** A million copies, looked at 200 a call; as many that owe something as no library has; and half of a day. */
const MOST_PAGES = 5_000;
const MOST_ROWS = 50_000;
const LONGEST_MS = 12 * 3_600_000;

/** What a patron owes, all copies of theirs together. */
export interface Owed {
  readonly overdues: number;
  /** Hundredths of the lending library's currency. */
  readonly amount: number;
  /** The lending Koha's number of a copy of theirs. */
  readonly patronId: number;
}

/** The lending Koha cannot say what its copies owe, or says what cannot be. */
export class OwedUnreadable extends Error {
  readonly library: string;
  readonly code: 'no_plugin' | 'too_much';

  constructor(library: string, code: OwedUnreadable['code']) {
    super(`${library}: ${code}`);
    this.library = library;
    this.code = code;
  }
}

/** What the patrons of one home owe at a lending library. */
export interface OwedOfHome {
  /** By home key: of copies that the service has on record. */
  readonly rows: ReadonlyMap<string, Owed>;
  /** How many others the lending Koha names, which count for nothing. */
  readonly unconfirmed: number;
}
type Counted = { -readonly [K in keyof OwedOfHome]: OwedOfHome[K] } & { readonly rows: Map<string, Owed> };

export interface ReadOwedDeps {
  readonly call: SweepCall;
  /** What the service itself knows of copies at a library. */
  readonly readRecords: ReadCopyRecords;
  /** The pages that an earlier slice has read. */
  readonly pages: readonly OwedPage[];
  readonly addPage: (index: number, page: OwedPage) => Promise<void>;
  readonly slice: Pick<Slice, 'endIfOver'>;
  readonly now: () => number;
}

/**
 * Reads what the copies at a lending library owe, by home, from where an earlier slice has ended; those of homes without an agreement are
 * left out. A lending library that invents debts can do so for patrons only of whom the service has made a copy there. Throws OwedUnreadable, KohaError or LibraryClosed, and then nothing is known; and what ends its slice.
 */
export async function readOwedAt(
  lending: Library,
  homes: ReadonlySet<string>,
  { call, readRecords, pages: before, addPage, slice, now }: ReadOwedDeps,
): Promise<ReadonlyMap<string, OwedOfHome>> {
  const found = new Map<string, Counted>(
    [...homes].map((home) => [home, { rows: new Map(), unconfirmed: 0 }]),
  );
  const homeKeyType = lending.copy.homeKeyAttribute;
  if (homeKeyType === null || homes.size === 0) return found;
  const pages = [...before];
  const beganMs = pages[0]?.read_ms ?? now();
  for (let last = pages.at(-1); last?.next !== null; last = pages.at(-1)) {
    const rows = pages.reduce((sum, { read }) => sum + read, 0);
    if (pages.length >= MOST_PAGES || rows > MOST_ROWS || now() - beganMs > LONGEST_MS) {
      throw new OwedUnreadable(lending.id, 'too_much');
    }
    const after = last?.next ?? 0;
    const answer = await call(lending.id, (koha) => koha.readOwed({ homeKeyType, after }));
    if (answer === null) throw new OwedUnreadable(lending.id, 'no_plugin');
    const ours = answer.rows.filter(({ homeKey }) => found.has(homeOf(homeKey) ?? ''));
    const page = { read_ms: now(), read: answer.rows.length, next: answer.next, rows: [...ours] };
    await addPage(pages.length, page);
    pages.push(page);
    slice.endIfOver('pages');
  }
  for (const { rows } of pages) {
    const records = await readRecords(
      lending.id,
      rows.map(({ patronId }) => patronId),
    );
    for (const row of rows) add(found, row, records.get(row.patronId)?.homeKey === row.homeKey);
  }
  return found;
}

/** The home that a home key names; null where it is none. */
const homeOf = (homeKey: string): string | null => /^([^:]+):[1-9]\d{0,9}$/.exec(homeKey)?.[1] ?? null;

/** A home key that is none, or of no home of an agreement, is nobody's. */
function add(
  found: ReadonlyMap<string, Counted>,
  { patronId, homeKey, overdues, amount }: OwedByCopy,
  isOnRecord: boolean,
): void {
  const ofHome = found.get(homeOf(homeKey) ?? '');
  if (ofHome === undefined) return;
  if (!isOnRecord) {
    ofHome.unconfirmed += 1;
    return;
  }
  const before = ofHome.rows.get(homeKey) ?? { overdues: 0, amount: 0 };
  ofHome.rows.set(homeKey, {
    patronId,
    overdues: before.overdues + overdues,
    amount: before.amount + amount,
  });
}
