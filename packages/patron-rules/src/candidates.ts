import { type Agreement, type Consortium, type Library, numberOf } from '@passport/config';
import { foldCard, sameCard } from '@passport/contract';
import { isTemplate } from './clean-text.ts';

/** A library that may be the home of a card, and the agreement under which it is queried. */
export interface Candidate {
  readonly home: Library;
  readonly agreement: Agreement;
  /** The numbers under which its Koha can have the card: one, unless the library has cards of several forms that look alike. */
  readonly cards: readonly string[];
}

/** One index for each list that is still in use: a worker looks a thousand libraries up for each event. */
const indexes = new WeakMap<Consortium['libraries'], ReadonlyMap<string, Library>>();

function indexOf(libraries: Consortium['libraries']): ReadonlyMap<string, Library> {
  const known = indexes.get(libraries) ?? new Map(libraries.map((library) => [library.id, library]));
  indexes.set(libraries, known);
  return known;
}

/** A library by its id. Throws when there is none: callers have checked the id where it came in. */
export function libraryById(consortium: Consortium, id: string): Library {
  const library = indexOf(consortium.libraries).get(id);
  if (library === undefined) throw new RangeError(`there is no library ${id} in the configuration`);
  return library;
}

/**
 * The libraries to be queried for a card scanned at `lendingId`: those with an agreement towards it, enabled, whose patterns fit
 * the card; one without patterns is queried for every card. In the configuration's order; empty means `NOT_A_CARD`, and
 * nobody is to be queried.
 */
export function decideCandidates(consortium: Consortium, lendingId: string, card: string): Candidate[] {
  const mayBeHome = (id: string): boolean => {
    if (id === lendingId) return false;
    const home = libraryById(consortium, id);
    return home.enabled && numbersAt(home, card).length > 0;
  };
  return consortium.agreements.among(lendingId, mayBeHome).map((agreement) => {
    const home = libraryById(consortium, agreement.home);
    return { agreement, home, cards: numbersAt(home, card) };
  });
}

/**
 * The numbers under which this library's Koha can have a card, by what the library says of its cards: the text itself where one of its
 * patterns fits, and what each of its other forms makes of it; empty: it is none of its cards. Without `cards`, the text itself.
 */
export function numbersAt({ cards }: Pick<Library, 'cards'>, card: string): string[] {
  const text = card.trim();
  const numbers = cards.length === 0 ? [text] : cards.flatMap((form) => numberOf(form, text) ?? []);
  // No library has cards that its own Koha would run in a notice.
  const safe = [text, ...numbers].some(isTemplate) ? [] : numbers;
  return [...new Map(safe.map((number) => [foldCard(number), number])).values()];
}

/** Whether the numbers under which a library can have a scanned card include this one. */
export const isNumberOf = (home: Pick<Library, 'cards'>, card: string, number: string): boolean =>
  numbersAt(home, card).some((each) => sameCard(each, number));

/**
 * The card number of a copy of whom home has under `number`, and whose card was scanned here as `scanned`; any others are numbers under
 * which the lending library can know the same card. The scanned form comes first, so that Koha finds the copy at the next scan; a form that
 * could be another library's card is left out, since the bearer of that one would stand in the patron's place.
 */
export function cardsOfCopy(
  consortium: Pick<Consortium, 'libraries'>,
  home: Library,
  { scanned, number }: { readonly scanned: string; readonly number: string },
): readonly [string, ...string[]] {
  if (sameCard(scanned, number)) return [number];
  const [first, ...others] = [scanned.trim(), number].filter((card) => isOwnCard(consortium, home, card));
  return first === undefined ? [scanned.trim()] : [first, ...others];
}

/**
 * Whether a card can be one of this home library's own: it fits the library's patterns, and those of no other library. Whoever gives a
 * patron a card of another library's would have its bearer stand in that patron's place.
 */
export function isOwnCard(
  { libraries }: Pick<Consortium, 'libraries'>,
  home: Library,
  card: string,
): boolean {
  const isOfAnother = (library: Library): boolean =>
    library.id !== home.id && library.cards.length > 0 && numbersAt(library, card).length > 0;
  return numbersAt(home, card).length > 0 && !libraries.some(isOfAnother);
}
