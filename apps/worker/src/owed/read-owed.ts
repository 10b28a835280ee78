import type { Library } from '@passport/config';
import type { OwedByCopy } from '@passport/koha-client';
import type { CopyRecord } from '@passport/queue';
import type { SweepCall } from '../koha/sweep-calls.ts';

/** A million copies, looked at 200 a call; and as many that owe something as no library has. */
const MOST_PAGES = 5_000;
const MOST_ROWS = 50_000;

/** How what copies owe is read. */
export interface OwedReadDeps {
  readonly call: SweepCall;
  /** What the service itself knows of copies at a library. */
  readonly readRecords: (
    lending: string,
    patronIds: readonly number[],
  ) => Promise<ReadonlyMap<number, CopyRecord>>;
}

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

/**
 * Reads what the copies at a lending library owe, by home; those of homes without an agreement are left out. A lending library that
 * invents debts can do so for patrons only of whom the service has made a copy there. Throws OwedUnreadable, KohaError or LibraryClosed,
 * and then nothing is known.
 */
export async function readOwedAt(
  lending: Library,
  homes: ReadonlySet<string>,
  { call, readRecords }: OwedReadDeps,
): Promise<ReadonlyMap<string, OwedOfHome>> {
  const found = new Map<string, Counted>(
    [...homes].map((home) => [home, { rows: new Map(), unconfirmed: 0 }]),
  );
  const homeKeyType = lending.copy.homeKeyAttribute;
  if (homeKeyType === null || homes.size === 0) return found;
  let rows = 0;
  for (let after: number | null = 0, pages = 1; after !== null; pages += 1) {
    const from: number = after;
    const page = await call(lending.id, (koha) => koha.readOwed({ homeKeyType, after: from }));
    if (page === null) throw new OwedUnreadable(lending.id, 'no_plugin');
    rows += page.rows.length;
    if (pages > MOST_PAGES || rows > MOST_ROWS) throw new OwedUnreadable(lending.id, 'too_much');
    const records = await readRecords(
      lending.id,
      page.rows.map(({ patronId }) => patronId),
    );
    for (const row of page.rows) add(found, row, records.get(row.patronId)?.homeKey === row.homeKey);
    after = page.next;
  }
  return found;
}

/** A home key that is none, or of no home of an agreement, is nobody's. */
function add(
  found: ReadonlyMap<string, Counted>,
  { patronId, homeKey, overdues, amount }: OwedByCopy,
  isOnRecord: boolean,
): void {
  const [home = '', number = '', ...more] = homeKey.split(':');
  const ofHome = found.get(home);
  if (ofHome === undefined || more.length > 0 || !/^[1-9]\d{0,9}$/.test(number)) return;
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
