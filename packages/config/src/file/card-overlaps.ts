import { patternOf } from '../cards/card-form.ts';
import { findCommonCard } from '../cards/find-common-card.ts';
import type { Path } from '../problems/config-error.ts';
import type { Consortium } from '../schema/consortium-schema.ts';
import type { Library } from '../schema/library-schema.ts';

/** Libraries whose patterns fit cards of others, though not both say so. */
interface CardOverlap {
  /** Of the patterns of the later library. */
  readonly path: Path;
  /** It names the others, and never a card: that may be somebody's. */
  readonly problem: string;
  /** The ids of all of them, the later one first. */
  readonly libraries: readonly string[];
}

/** More names than these say no more; the number of the others does. */
const MOST_NAMED = 5;
export const nameSome = (names: readonly string[]): string =>
  `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`;

/** Which patterns have a card in common. Many libraries have the same patterns: each is compared once. */
function comparePatterns(libraries: readonly Library[]): (here: RegExp, there: RegExp) => boolean {
  const patterns = [
    ...new Map(
      libraries.flatMap(({ cards }) => cards.map(patternOf).map((pattern) => [pattern.source, pattern])),
    ).values(),
  ];
  const overlapping = new Map<string, Set<string>>(patterns.map(({ source }) => [source, new Set()]));
  for (const [place, one] of patterns.entries()) {
    for (let before = 0; before <= place; before += 1) {
      const other = patterns[before];
      if (other === undefined || findCommonCard(one, other) === null) continue;
      overlapping.get(one.source)?.add(other.source);
      overlapping.get(other.source)?.add(one.source);
    }
  }
  return (here, there) => overlapping.get(here.source)?.has(there.source) === true;
}

/** What both libraries say is meant. */
const isAgreed = (one: Library, other: Library): boolean =>
  one.cardsSharedWith.includes(other.id) && other.cardsSharedWith.includes(one.id);

/**
 * Enabled libraries whose patterns both fit some card, one for each library that has such before it. Agreements do not matter: a pair of
 * libraries that share no desk today share one with the next agreement, and then one of them sees the other's cards and can be chosen for
 * their bearers.
 */
export function cardOverlaps({ libraries }: Consortium): readonly CardOverlap[] {
  const enabled = libraries.filter((library) => library.enabled);
  const haveCommon = comparePatterns(enabled);
  return enabled.flatMap((library, place) => {
    const here = library.cards.map(patternOf);
    const found = enabled.slice(0, place).flatMap((other) => {
      const isCommon = (there: RegExp): boolean => here.some((each) => haveCommon(each, there));
      const pattern = other.cards.map(patternOf).find(isCommon);
      return pattern === undefined || isAgreed(library, other)
        ? []
        : [{ id: other.id, text: `${other.id} (${pattern.source})` }];
    });
    if (found.length === 0) return [];
    return [
      {
        path: ['libraries', libraries.indexOf(library), 'cards'],
        problem: `a card can fit these patterns and those of ${nameSome(found.map(({ text }) => text))}: each library sees it, and can answer in place of the other`,
        libraries: [library.id, ...found.map(({ id }) => id)],
      },
    ];
  });
}
