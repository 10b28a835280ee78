import { sameCard } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import { passportOf } from './is-copy.ts';
import {
  type CopyTraits,
  homeKeysOf,
  isInForeignCategory,
  isMergedCopy,
  isSomebodyElse,
} from './merged-copy.ts';

/** What the lending Koha has of a patron who may be there already. */
export interface LocalRecords extends OneCard {
  /** Other numbers of the same card: who has one of them, where nobody has the card, may have been registered with that form of it. */
  readonly otherCards: readonly string[];
}

interface OneCard extends CopyTraits {
  readonly card: string;
  /** What was scanned. Any other number of the card is home's, and can be somebody else's here. */
  readonly scanned: string;
  readonly homeId: string;
  readonly homeKey: string;
  readonly passportTypes: ReadonlySet<string>;
  /** Records found by card, and by home key; attributes embedded in both. */
  readonly byCard: readonly KohaPatron[];
  readonly byHomeKey: readonly KohaPatron[];
}

/** Who has the card, or the home key, at the lending library. */
export type LocalMatch =
  | { readonly kind: 'nobody' }
  /** Our copy of this patron, with this card. */
  | { readonly kind: 'our_copy'; readonly patronId: number }
  /** Our copy of this patron with an older card, the new card being free. */
  | { readonly kind: 'our_copy_older_card'; readonly patronId: number }
  /**
   * The card is on the copy of another home patron, or on a local patron while our copy has an older card; or a local patron who may be
   * another person has the number at home, and not what was scanned.
   */
  | { readonly kind: 'card_of_another'; readonly patronId: number }
  /**
   * The card is on a copy from this home with one home key of another number there, and nothing speaks against its being the same
   * person: theirs, if the home library does not know that number any more (it merged two records).
   */
  | {
      readonly kind: 'copy_of_other_number';
      readonly patronId: number;
      /** The number at home that its key names. */
      readonly otherNumber: number;
      readonly attributeId: number | null;
    }
  /**
   * The card is on a copy from this home that has no home key, as older software made them: surely of this card, but not provably of
   * this patron, so nothing is checked out to it.
   */
  | { readonly kind: 'copy_without_key'; readonly patronId: number }
  /** Our copy was anonymised: a record without a person, never written to, and nothing is checked out to it. */
  | { readonly kind: 'copy_anonymized'; readonly patronId: number }
  /** Our copy was merged into a patron of the lending library's own: never written to, and nothing is checked out to it. */
  | { readonly kind: 'copy_merged'; readonly patronId: number }
  /** The card is on a patron of the lending library's own. */
  | { readonly kind: 'native'; readonly patronId: number };

/** Decides who a look by card and by home key has found. Both kinds of match are compared again here. */
export function decideLocalMatch({ otherCards, ...look }: LocalRecords): LocalMatch {
  const matches = [look.card, ...otherCards].map((card) => matchOf({ ...look, card }));
  return matches.find(({ kind }) => kind !== 'nobody') ?? { kind: 'nobody' };
}

function matchOf(look: OneCard): LocalMatch {
  const byCard = look.byCard.find(({ cardnumber }) => cardnumber !== null && sameCard(cardnumber, look.card));
  const withKey = [...look.byHomeKey, ...look.byCard].filter((patron) => hasHomeKey(patron, look));
  const ours = withKey.find((patron) => !isAnonymized(patron));
  if (byCard === undefined || isAnonymized(byCard)) return withoutCard(look, ours, withKey[0]);
  const { patronId } = byCard;
  if (ours !== undefined && ours.patronId !== patronId) return { kind: 'card_of_another', patronId };
  const passport = passportOf(byCard, look.passportTypes);
  // Also one that was our copy: a library makes it its own by emptying the passport, and the key may stay.
  if (passport === null) {
    const isTheirs = ours !== undefined || sameCard(look.card, look.scanned);
    return {
      kind: isTheirs || !isSomebodyElse(byCard, look.homeRecord) ? 'native' : 'card_of_another',
      patronId,
    };
  }
  const keys = homeKeysOf(byCard, look);
  if (ours !== undefined || keys.length > 1) {
    return { kind: isMergedCopy(byCard, look) ? 'copy_merged' : 'our_copy', patronId };
  }
  if (passport !== look.homeId) return { kind: 'card_of_another', patronId };
  const [key] = keys;
  return key === undefined ? { kind: 'copy_without_key', patronId } : ofOtherNumber(byCard, key, look);
}

/** Nobody living has the card: does anybody have the home key? */
function withoutCard(
  look: OneCard,
  ours: KohaPatron | undefined,
  anonymized: KohaPatron | undefined,
): LocalMatch {
  if (ours !== undefined) {
    const { patronId } = ours;
    return { kind: isMergedCopy(ours, look) ? 'copy_merged' : 'our_copy_older_card', patronId };
  }
  if (anonymized === undefined) return { kind: 'nobody' };
  return { kind: 'copy_anonymized', patronId: anonymized.patronId };
}

function ofOtherNumber(byCard: KohaPatron, key: string, look: OneCard): LocalMatch {
  const { patronId } = byCard;
  const [home, number] = [key.slice(0, key.lastIndexOf(':')), Number(key.slice(key.lastIndexOf(':') + 1))];
  const isOfThisHome = home === look.homeId && Number.isSafeInteger(number) && number > 0;
  if (!isOfThisHome || isSomebodyElse(byCard, look.homeRecord)) return { kind: 'card_of_another', patronId };
  // When it was enrolled says nothing: what home has kept can be the younger of two records.
  if (isInForeignCategory(byCard, look)) return { kind: 'copy_merged', patronId };
  const keyed = byCard.attributes?.find(
    ({ type, value }) => type === look.homeKeyAttribute && value?.trim() === key,
  );
  const attributeId = keyed?.id ?? null;
  return { kind: 'copy_of_other_number', patronId, otherNumber: number, attributeId };
}

const isAnonymized = ({ anonymized }: KohaPatron): boolean => anonymized === true;

function hasHomeKey({ attributes }: KohaPatron, { homeKey, homeKeyAttribute }: OneCard): boolean {
  return (
    homeKeyAttribute !== null &&
    attributes !== null &&
    attributes.some(({ type, value }) => type === homeKeyAttribute && value === homeKey)
  );
}
