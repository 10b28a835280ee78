import { isOfOneRecord } from '@passport/koha-client';
import { homeKeyOf, isCopy } from '@passport/patron-rules';
import type { SweptHome } from '@passport/queue';
import type { CopyPair } from './refresh-copy.ts';
import { type Sweep, type SweepDeps, count } from './sweep-state.ts';

/** A patron is gone who was missing in two full sweeps at least this far apart. */
const GONE_AFTER_MS = 24 * 3_600_000;
/** So many are looked up by their cards at a home in one sweep, those who are missing longest: two calls each that a lending library could make up. */
const MOST_LOOKED_UP = 100;

/**
 * Counts who is missing at a home that was read to its end. Koha does not distinguish "deleted" from "hidden from this API user": gone
 * needs two sweeps a day apart. A card that another record at home has by now was merged into it.
 */
export async function countMissing(sweep: Sweep, home: SweptHome, pair: CopyPair): Promise<void> {
  const { state, deps } = sweep;
  const { unanswered, now } = deps;
  const since = await unanswered.note(pair.home.id);
  const longest = [...since]
    .toSorted(([one, oneMs], [other, otherMs]) => oneMs - otherMs || (one < other ? -1 : 1))
    .slice(0, MOST_LOOKED_UP);
  for (const [homeKey, sinceMs] of longest.slice(state.looked_up)) {
    const isMerged = await hasOtherNumber(homeKey, pair, deps).catch((error: unknown) => {
      if (isOfOneRecord(error)) return null;
      throw error;
    });
    const isGone = isMerged === false && now() - sinceMs >= GONE_AFTER_MS;
    count(home, isMerged === true ? 'HOME_MERGED' : isGone ? 'HOME_GONE' : 'HOME_MISSING', 1);
    state.looked_up += 1;
    sweep.deps.slice.endIfOver('pages');
  }
  count(home, 'HOME_MISSING', state.missing - longest.length);
}

/** Whether home has the card of a copy under another number. */
async function hasOtherNumber(homeKey: string, pair: CopyPair, { call }: SweepDeps): Promise<boolean> {
  const { home, lending, passportTypes: types } = pair;
  const type = lending.copy.homeKeyAttribute;
  if (type === null) return false;
  const [copy] = await call(lending.id, (koha) => koha.findByAttribute(type, homeKey));
  const card = copy?.cardnumber ?? null;
  if (card === null) return false;
  const found = await call(home.id, (koha) => koha.findByCard(card, { attributes: true, balance: false }));
  return found.some((each) => !isCopy(each, types) && homeKeyOf(home.id, each.patronId) !== homeKey);
}
