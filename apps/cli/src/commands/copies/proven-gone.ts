import type { Consortium, Library } from '@passport/config';
import { type KohaPatron, KohaError, PATRONS_A_PAGE, readInHalves } from '@passport/koha-client';
import type { ReadCopyRecords } from '@passport/queue';
import { homeKeyOf, homeKeysOf, isBlind, isCopy, isNobodyShown, passportTypes } from '@passport/patron-rules';
import type { OpenKohas } from '../../connect/koha-clients.ts';
import { splitHomeKey } from './describe-copy.ts';
import { inBatches } from './in-batches.ts';
import { buildPace } from './pace.ts';
import { readCopies } from './read-copies.ts';

/** Gone is who was missing in a full sweep, and is missing again at least so long after it. */
const GONE_AFTER_MS = 24 * 3_600_000;

export interface GoneCase {
  readonly consortium: Consortium;
  readonly lending: Library;
  readonly homeKeyType: string;
  /** Only of this home library, where it is named. */
  readonly of: string | undefined;
  readonly kohas: OpenKohas;
  /** Only copies on record are looked up at home, whatever the lending Koha shows. */
  readonly readRecords: ReadCopyRecords;
  /** Since when full sweeps have missed home keys of a home library. */
  readonly missingSince: (home: string) => Promise<ReadonlyMap<string, number>>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Whose patrons have left home, and of which home libraries nothing can be said. */
export interface ProvenGone {
  readonly homeKeys: ReadonlySet<string>;
  readonly unproven: ReadonlyMap<string, 'blind' | 'down'>;
  /** Another look at home, right before something is done about it. Throws KohaError. */
  isStillGone(homeKey: string): Promise<boolean>;
}

/** A copy with one home key. */
interface KeyedCopy {
  readonly copy: KohaPatron;
  readonly homeKey: string;
  readonly number: number;
}

/**
 * Looks all copies on record up at their home libraries, a hundred in a call and one call at a time. Gone is who is anonymised there, and who a full
 * sweep missed a day ago or earlier, is missing now, and has no other record with the card. A home library that misses too many hides
 * its patrons: nobody there is gone. Throws KohaError where the lending Koha fails.
 */
export async function findGone(the: GoneCase): Promise<ProvenGone> {
  const homeKeys = new Set<string>();
  const unproven = new Map<string, 'blind' | 'down'>();
  for (const home of the.consortium.agreements.homesAt(the.lending.id)) {
    if (the.of !== undefined && the.of !== home) continue;
    try {
      const { gone, isHiding } = await goneAt(home, the);
      for (const homeKey of gone) homeKeys.add(homeKey);
      if (isHiding) unproven.set(home, 'blind');
    } catch (error) {
      if (!(error instanceof KohaError) || error.library !== home || the.signal.aborted) throw error;
      unproven.set(home, 'down');
    }
  }
  return {
    homeKeys,
    unproven,
    async isStillGone(homeKey) {
      const { home, patronId } = splitHomeKey(homeKey) ?? { home: '', patronId: 0 };
      const { patrons, rows } = await the.kohas.of(home).readPatrons([patronId]);
      return rows === 0 || patrons[0]?.anonymized === true;
    },
  };
}

async function goneAt(
  home: string,
  the: GoneCase,
): Promise<{ readonly gone: readonly string[]; readonly isHiding: boolean }> {
  const { lending, kohas, readRecords, missingSince, nowMs, signal } = the;
  const paced = buildPace(signal);
  const gone: string[] = [];
  const missing: KeyedCopy[] = [];
  let all = 0;
  const copies = readCopies(kohas.of(lending.id), lending, home, { signal });
  for await (const batch of inBatches(copies, PATRONS_A_PAGE)) {
    const ids = batch.flatMap((copy) => copy?.patronId ?? []);
    const records = await readRecords(lending.id, ids);
    const keyed = batch
      .flatMap((copy) => keyedCopy(copy, home, the))
      .filter(({ copy, homeKey }) => records.get(copy.patronId)?.homeKey === homeKey);
    const numbers = [...new Set(keyed.map(({ number }) => number))];
    const found = new Map<number, KohaPatron>();
    const unreadable: number[] = [];
    const unread = await readInHalves(numbers, async (part) => {
      const page = await paced(() => kohas.of(home).readPatrons(part, {}, { signal }));
      for (const patron of page.patrons) found.set(patron.patronId, patron);
      unreadable.push(...page.unreadable);
    });
    unreadable.push(...unread);
    all += keyed.length;
    for (const each of keyed) {
      const record = found.get(each.number);
      if (record?.anonymized === true) gone.push(each.homeKey);
      else if (record === undefined && !unreadable.includes(each.number)) missing.push(each);
    }
  }
  const isHiding = isBlind(missing.length, all) || isNobodyShown(missing.length, all);
  if (isHiding) return { gone, isHiding };
  const since = await missingSince(home);
  const long = missing.filter(({ homeKey }) => nowMs - (since.get(homeKey) ?? nowMs) >= GONE_AFTER_MS);
  for (const each of long) {
    if (!(await paced(() => hasOtherNumber(each, home, the)))) gone.push(each.homeKey);
  }
  return { gone, isHiding };
}

function keyedCopy(copy: KohaPatron | null, home: string, { homeKeyType }: GoneCase): KeyedCopy[] {
  if (copy === null) return [];
  const [homeKey = '', another] = homeKeysOf(copy, { homeKeyAttribute: homeKeyType });
  const split = splitHomeKey(homeKey);
  if (another !== undefined || split?.home !== home) return [];
  return [{ copy, homeKey, number: split.patronId }];
}

/** Whether home has the card under another number, as after a merge; without a card nobody can say. */
async function hasOtherNumber(
  { copy: { cardnumber }, homeKey }: KeyedCopy,
  home: string,
  { consortium, kohas, signal }: GoneCase,
): Promise<boolean> {
  if (cardnumber === null || cardnumber.trim() === '') return true;
  const wanted = { attributes: true, balance: false };
  const found = await kohas.of(home).findByCard(cardnumber, wanted, { signal });
  const types = passportTypes(consortium);
  return found.some((each) => !isCopy(each, types) && homeKeyOf(home, each.patronId) !== homeKey);
}
