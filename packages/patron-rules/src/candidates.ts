import type { Agreement, Consortium, Library } from '@passport/config';
import { isTemplate } from './clean-text.ts';

/** A library that may be the home of a card, and the agreement under which it is queried. */
export interface Candidate {
  readonly home: Library;
  readonly agreement: Agreement;
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
  const text = card.trim();
  const mayBeHome = (id: string): boolean => {
    if (id === lendingId) return false;
    const home = libraryById(consortium, id);
    return home.enabled && couldIssue(home, text);
  };
  return consortium.agreements
    .among(lendingId, mayBeHome)
    .map((agreement) => ({ agreement, home: libraryById(consortium, agreement.home) }));
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
  const text = card.trim();
  const isOfAnother = ({ id, cards }: Library): boolean =>
    id !== home.id && cards.some((pattern) => text.search(pattern) !== -1);
  return couldIssue(home, text) && !libraries.some(isOfAnother);
}

/** No library has cards that its own Koha would run in a notice. */
function couldIssue(home: Library, card: string): boolean {
  if (isTemplate(card)) return false;
  // `search` because `test` of a pattern with a "g" flag remembers where it stopped.
  return home.cards.length === 0 || home.cards.some((pattern) => card.search(pattern) !== -1);
}
