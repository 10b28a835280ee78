import { sameCard } from '@passport/koha-client';
import type { KohaPatron } from '@passport/koha-client';
import { passportOf } from './is-copy.ts';

/** What the lending Koha has of a patron who may be there already. */
export interface LocalLook {
  readonly card: string;
  readonly homeId: string;
  readonly homeKey: string;
  /** The lending library's type of the home key; null where it writes none. */
  readonly homeKeyAttribute: string | null;
  readonly passportTypes: ReadonlySet<string>;
  /** Records found by card, and by home key; attributes embedded in both. */
  readonly byCard: readonly KohaPatron[];
  readonly byHomeKey: readonly KohaPatron[];
}

/** Who holds the card, or the home key, at the lending library (contract section 2.3). */
export type LocalHolder =
  | { readonly kind: 'nobody' }
  /** Our copy of this patron, with this card. */
  | { readonly kind: 'our_copy'; readonly patronId: number }
  /** Our copy of this patron with an older card, the new card being free. */
  | { readonly kind: 'our_copy_older_card'; readonly patronId: number }
  /** The card is on the copy of another home patron, or on a local patron while our copy has an older card. */
  | { readonly kind: 'card_of_another'; readonly patronId: number }
  /**
   * The card is on a copy from this home that has no home key, as older software made them: surely of this card, but not provably of
   * this patron, so nothing is lent to it.
   */
  | { readonly kind: 'copy_without_key'; readonly patronId: number }
  /** The card is on a patron of the lending library's own. */
  | { readonly kind: 'native'; readonly patronId: number };

/** Decides who a look by card and by home key has found. Both kinds of match are compared again here. */
export function decideLocalHolder(look: LocalLook): LocalHolder {
  const byCard = look.byCard.find(({ cardnumber }) => cardnumber !== null && sameCard(cardnumber, look.card));
  const ours = [...look.byHomeKey, ...look.byCard].find((patron) => hasHomeKey(patron, look));
  if (byCard === undefined) {
    return ours === undefined ? { kind: 'nobody' } : { kind: 'our_copy_older_card', patronId: ours.patronId };
  }
  const { patronId } = byCard;
  if (ours !== undefined && ours.patronId !== patronId) return { kind: 'card_of_another', patronId };
  const passport = passportOf(byCard, look.passportTypes);
  // Also one that was our copy: a library makes it its own by emptying the passport, and the key may stay.
  if (passport === null) return { kind: 'native', patronId };
  if (ours !== undefined) return { kind: 'our_copy', patronId };
  const fromHere = passport === look.homeId && !hasAnyHomeKey(byCard, look);
  return { kind: fromHere ? 'copy_without_key' : 'card_of_another', patronId };
}

function hasAnyHomeKey({ attributes }: KohaPatron, { homeKeyAttribute }: LocalLook): boolean {
  return (attributes ?? []).some(({ type, value }) => type === homeKeyAttribute && (value ?? '') !== '');
}

function hasHomeKey({ attributes }: KohaPatron, { homeKey, homeKeyAttribute }: LocalLook): boolean {
  return (
    homeKeyAttribute !== null &&
    attributes !== null &&
    attributes.some(({ type, value }) => type === homeKeyAttribute && value === homeKey)
  );
}
