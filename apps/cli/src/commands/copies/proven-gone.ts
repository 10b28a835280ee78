import type { Consortium, Library } from '@passport/config';
import { type KohaPatron, KohaError, readInHalves } from '@passport/koha-client';
import type { ReadCopyRecords } from '@passport/queue/copies';
import {
  homeKeyOf,
  homeKeysOf,
  isBlind,
  isCopy,
  isNobodyShown,
  libraryById,
  numbersAt,
  passportTypes,
} from '@passport/patron-rules';
import type { KohaOf } from '../../connect/koha-clients.ts';
import { splitHomeKey } from '../../places/home-key.ts';
import { listCopies } from './copy.ts';
import { buildPace } from './plan.ts';

/** Gone is who was missing in a full sweep, and is missing again at least so long after it. */
const GONE_AFTER_MS = 24 * 3_600_000;

export interface GoneCase {
  readonly consortium: Consortium;
  readonly lending: Library;
  /** Only of this home library, where it is named. */
  readonly of: string | undefined;
  readonly kohaOf: KohaOf;
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
export async function findGone(wanted: GoneCase): Promise<ProvenGone> {
  const homeKeys = new Set<string>();
  const unproven = new Map<string, 'blind' | 'down'>();
  for (const home of wanted.consortium.agreements.homesAt(wanted.lending.id)) {
    if (wanted.of !== undefined && wanted.of !== home) continue;
    try {
      const { gone, isHiding } = await goneAt(home, wanted);
      for (const homeKey of gone) homeKeys.add(homeKey);
      if (isHiding) unproven.set(home, 'blind');
    } catch (error) {
      if (!(error instanceof KohaError) || error.library !== home || wanted.signal.aborted) throw error;
      unproven.set(home, 'down');
    }
  }
  return {
    homeKeys,
    unproven,
    async isStillGone(homeKey) {
      const { home, patronId } = splitHomeKey(homeKey) ?? { home: '', patronId: 0 };
      const { patrons, rows } = await wanted.kohaOf(home).readPatrons([patronId]);
      return rows === 0 || patrons[0]?.anonymized === true;
    },
  };
}

async function goneAt(
  home: string,
  wanted: GoneCase,
): Promise<{ readonly gone: readonly string[]; readonly isHiding: boolean }> {
  const { lending, kohaOf, readRecords, missingSince, nowMs, signal } = wanted;
  const paced = buildPace(signal);
  const gone: string[] = [];
  const missing: KeyedCopy[] = [];
  let all = 0;
  for await (const { patrons } of listCopies(kohaOf(lending.id), lending, home, { signal })) {
    const ids = patrons.map(({ patronId }) => patronId);
    const records = await readRecords(lending.id, ids);
    const keyed = patrons
      .flatMap((copy) => keyedCopy(copy, home, wanted))
      .filter(({ copy, homeKey }) => records.get(copy.patronId)?.homeKey === homeKey);
    const numbers = [...new Set(keyed.map(({ number }) => number))];
    const found = new Map<number, KohaPatron>();
    const unreadable: number[] = [];
    const unread = await readInHalves(numbers, async (part) => {
      const page = await paced(() => kohaOf(home).readPatrons(part, {}, { signal }));
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
    if (!(await paced(() => hasOtherNumber(each, home, wanted)))) gone.push(each.homeKey);
  }
  return { gone, isHiding };
}

function keyedCopy(copy: KohaPatron, home: string, { lending }: GoneCase): KeyedCopy[] {
  const [homeKey = '', another] = homeKeysOf(copy, lending.copy);
  const split = splitHomeKey(homeKey);
  if (another !== undefined || split?.home !== home) return [];
  return [{ copy, homeKey, number: split.patronId }];
}

/** Whether home has the card under another number, as after a merge; without a card nobody can say. */
async function hasOtherNumber(
  { copy: { cardnumber }, homeKey }: KeyedCopy,
  home: string,
  { consortium, kohaOf, signal }: GoneCase,
): Promise<boolean> {
  if (cardnumber === null || cardnumber.trim() === '') return true;
  const wanted = { attributes: true, balance: false };
  const cards = [cardnumber, ...numbersAt(libraryById(consortium, home), cardnumber)];
  const found = await kohaOf(home).findByCard(cards, wanted, { signal });
  const types = passportTypes(consortium);
  return found.some((each) => !isCopy(each, types) && homeKeyOf(home, each.patronId) !== homeKey);
}
