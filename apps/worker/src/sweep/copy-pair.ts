import type { Agreement, Consortium, Library } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import {
  isCopy,
  isOwnCard,
  isWithheld,
  libraryById,
  passesCategoryFilter,
  passportTypes,
} from '@passport/patron-rules';

/** The two libraries of a copy, and what is the same for all copies between them. */
export interface CopyPair {
  readonly home: Library;
  readonly lending: Library;
  readonly agreement: Agreement;
  readonly passportTypes: ReadonlySet<string>;
  readonly accepts: (property: string) => boolean;
  /** Whether a card can be one of the home library's own. */
  readonly isOwnCard: (card: string) => boolean;
}

/** The pair of two libraries; null where the home library shares nothing with the other one. */
export function pairOf(
  homeId: string,
  lending: Library,
  { consortium, accepts }: { readonly consortium: Consortium; readonly accepts: CopyPair['accepts'] },
): CopyPair | null {
  const agreement = consortium.agreements.at(lending.id).find(({ home }) => home === homeId);
  if (agreement === undefined) return null;
  const home = libraryById(consortium, homeId);
  return {
    home,
    lending,
    agreement,
    passportTypes: passportTypes(consortium),
    accepts,
    isOwnCard: (card) => isOwnCard(consortium, home, card),
  };
}

/** Whether home shares this patron of its own with the lending library. */
export const isShared = (
  homeRecord: KohaPatron,
  { home, agreement, passportTypes: types }: Pick<CopyPair, 'home' | 'agreement' | 'passportTypes'>,
): boolean =>
  !isWithheld(homeRecord, home) &&
  passesCategoryFilter(agreement.categories, homeRecord.categoryId) === true &&
  !isCopy(homeRecord, types);
