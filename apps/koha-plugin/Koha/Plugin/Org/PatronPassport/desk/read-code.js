import { completeCard, looksLikeCard } from './koha-search.js';

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

/**
 * What a code is that was begun as the page came, once Koha has said what it `is`: the code, the card of which it is the end, or null where it must be
 * scanned again. Who has the end of a card here is not who was meant.
 */
export function wholeCode(code, is, patterns) {
  const whole = completeCard(code, patterns);
  if (whole === code || (is && is.isItem)) return code;
  if (!is) return null;
  if (whole === null) return is.isPatron ? code : null;
  return is.isPatron ? null : whole;
}

/** What may be the next card: until it is known, nothing that follows is for the patron before it. */
const UNCLEAR = ['ask', 'unread', 'neither'];
const FOR_THIS_PATRON = ['item', 'open', 'spare'];

/** Whether a code with this meaning may be the next card. */
export const isUnclear = (meaning) => UNCLEAR.includes(meaning);

/**
 * What a code with this meaning comes to after the codes of this page that are `unclear` (a map of what each is, which is kept here): `doubtful` for an item while there
 * is another one. A code is clear once it is scanned again and read, or somebody has said what it is; all are once the card is scanned again.
 */
export function afterUnclear(code, meaning, unclear) {
  const id = code.toLowerCase();
  if (meaning === 'ignored') unclear.clear();
  else if (isUnclear(meaning)) unclear.set(id, meaning);
  else unclear.delete(id);
  return unclear.size > 0 && FOR_THIS_PATRON.includes(meaning) ? 'doubtful' : meaning;
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
