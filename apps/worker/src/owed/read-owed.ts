import type { Library } from '@passport/config';
import type { OwedByCopy } from '@passport/koha-client';
import type { SweepCall } from '../koha/sweep-calls.ts';

/** A million copies, looked at 200 a call; and as many that owe something as no library has. */
const MOST_PAGES = 5_000;
const MOST_ROWS = 50_000;

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

/**
 * Reads what the copies at a lending library owe, by home and home key; those of homes without an agreement are left out. Throws OwedUnreadable, KohaError or LibraryClosed, and then nothing is known.
 */
export async function readOwedAt(
  lending: Library,
  homes: ReadonlySet<string>,
  call: SweepCall,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Owed>>> {
  const found = new Map<string, Map<string, Owed>>([...homes].map((home) => [home, new Map()]));
  const homeKeyType = lending.copy.homeKeyAttribute;
  if (homeKeyType === null || homes.size === 0) return found;
  let rows = 0;
  for (let after: number | null = 0, pages = 1; after !== null; pages += 1) {
    const from: number = after;
    const page = await call(lending.id, (koha) => koha.readOwed({ homeKeyType, after: from }));
    if (page === null) throw new OwedUnreadable(lending.id, 'no_plugin');
    rows += page.rows.length;
    if (pages > MOST_PAGES || rows > MOST_ROWS) throw new OwedUnreadable(lending.id, 'too_much');
    for (const row of page.rows) add(found, row);
    after = page.next;
  }
  return found;
}

/** A home key that is none, or of no home of an agreement, is nobody's. */
function add(
  found: Map<string, Map<string, Owed>>,
  { patronId, homeKey, overdues, amount }: OwedByCopy,
): void {
  const [home = '', number = '', ...more] = homeKey.split(':');
  const ofHome = found.get(home);
  if (ofHome === undefined || more.length > 0 || !/^[1-9]\d{0,9}$/.test(number)) return;
  const before = ofHome.get(homeKey) ?? { overdues: 0, amount: 0 };
  ofHome.set(homeKey, { patronId, overdues: before.overdues + overdues, amount: before.amount + amount });
}
