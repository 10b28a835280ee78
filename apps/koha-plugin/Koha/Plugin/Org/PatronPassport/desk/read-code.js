import { looksLikeCard } from './koha-search.js';

/**
 * What a code is that was scanned into the panel's box: the next `card`, the `item` of this patron, `ask` (it can be either),
 * `ignored` (the card again that is being looked for), `open` (an item for the checkout, which is ready), `spare` (an item waits
 * already), `no_patron` (there is nobody for it), `neither`, or `unread` where Koha did not say what it `is`: {isItem, isPatron}.
 *
 * `anyCard`: no library has said what its cards look like, so that a pattern which fits says nothing of an item that is here.
 */
export function meaningOf(code, { card, isOver, isHere, takesItem, withItem }, is, { patterns, anyCard }) {
  if (isCardAgain(code, card)) return isOver ? 'card' : 'ignored';
  if (!is) return isOver ? 'card' : 'unread';
  const fits = looksLikeCard(code, patterns);
  if (!is.isItem) return is.isPatron || fits || isOver ? 'card' : 'neither';
  if (is.isPatron || (fits && !anyCard)) return 'ask';
  return itemMeaning(isOver, isHere, takesItem, withItem);
}

/** Koha takes no notice of case. */
export function isCardAgain(code, card) {
  return code.toLowerCase() === card.toLowerCase();
}

/** What an item means where it is known to be one. */
export function itemMeaning(isOver, isHere, takesItem, withItem) {
  if (takesItem) return 'item';
  if (isHere) return 'open';
  return withItem && !isOver ? 'spare' : 'no_patron';
}
