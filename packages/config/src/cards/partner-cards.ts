import type { Consortium } from '../schema/consortium-schema.ts';
import { patternOf } from './card-form.ts';
import { exampleCards } from './find-common-card.ts';

/** What the cards of a home library look like; without patterns they may be anything. */
export interface PartnerCards {
  readonly id: string;
  readonly name: string;
  readonly patterns: string[];
  /** Cards that fit them, made of the patterns alone: what fits none of another list of patterns is hidden by that list. */
  readonly examples: string[];
}

/** The cards that a lending library can meet, those of each home whose patrons may borrow there, in the order of the file. */
export function partnerCards(
  { libraries, agreements }: Pick<Consortium, 'libraries' | 'agreements'>,
  lending: string,
): PartnerCards[] {
  const homes = agreements.homesAt(lending);
  return libraries
    .filter(({ id }) => homes.has(id))
    .map(({ id, name, cards }) => ({
      id,
      name,
      patterns: cards.map((form) => patternOf(form).source),
      examples: [...new Set(cards.flatMap((form) => exampleCards(patternOf(form))))],
    }));
}

/** The partners some of whose cards fit none of these patterns; without any patterns nobody's are hidden. */
export function hiddenPartners(
  partners: readonly PartnerCards[],
  patterns: readonly RegExp[],
): readonly PartnerCards[] {
  if (patterns.length === 0) return [];
  const isHidden = (card: string): boolean => !patterns.some((pattern) => pattern.test(card));
  return partners.filter((partner) => partner.patterns.length === 0 || partner.examples.some(isHidden));
}
