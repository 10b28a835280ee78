import type { Library } from '@passport/config';
import type { KohaPatron, PatronRestriction } from '@passport/koha-client';
import { cleanText } from './clean-text.ts';
import { fitText } from './fit-text.ts';

/** The one restriction of a copy that stands for all that its patron has at home. */
export interface CarriedRestriction {
  /** It is over with this day (`YYYY-MM-DD`); null: it has no end. */
  readonly until: string | null;
  /** Koha's types of those at home, each once; none where home cannot say. */
  readonly codes: readonly string[];
  /** What home's staff have noted; null: nothing, or home does not share it. */
  readonly comment: string | null;
}

/** Whether a copy of this patron gets the restriction that the patron has at home. */
export const carriesRestriction = (
  { restricted }: Pick<KohaPatron, 'restricted'>,
  { eligibility, copy }: Pick<Library, 'eligibility' | 'copy'>,
): boolean => restricted === true && eligibility.restricted === 'allow' && copy.mode !== 'observe';

/** In characters: a note, and no letter. */
const LONGEST_COMMENT = { characters: 100 };
/** Whatever could be more than text on a page, in a notice or in the comment around it. */
const NO_TEXT = /[^\p{L}\p{M}\p{N} .,;:!?/()'’–-]+/gu;

const noteOf = ({ comment }: PatronRestriction): readonly string[] => {
  const note = cleanText((comment ?? '').replaceAll(NO_TEXT, ' '))
    .replaceAll(/ +/g, ' ')
    .trim();
  return note === '' ? [] : [note];
};

/**
 * What a copy gets for the restrictions that home has of its patron: the longest end of all, as Koha itself adds them up
 * (`Koha/Patron/Debarments.pm`, `UpdateBorrowerDebarmentFlags`), so that nobody can borrow with the copy while they cannot at home. Without an end where
 * home cannot say (null), or says that the patron is restricted and names nothing that lasts until `today` (`YYYY-MM-DD`) at least: what ends today can be in
 * force at home, where the day may be another. Without types and comment where the lending library's desks see no reasons.
 */
export function carriedRestriction(
  restrictions: readonly PatronRestriction[] | null,
  { today, eligibility: { showReasons } }: Pick<Library, 'eligibility'> & { readonly today: string },
): CarriedRestriction {
  const lasting = (restrictions ?? []).filter(({ until }) => until === null || until >= today);
  const ends = lasting.map(({ until }) => until ?? '').toSorted();
  const until = ends[0] === '' ? null : (ends.at(-1) ?? null);
  if (!showReasons) return { until, codes: [], comment: null };
  const comment = fitText([...new Set(lasting.flatMap(noteOf))].join('; '), LONGEST_COMMENT).trim();
  return {
    until,
    codes: [...new Set(lasting.map(({ type }) => type))],
    comment: comment === '' ? null : comment,
  };
}

/** Whether what home's staff have noted of a restriction is passed on. */
export const sharesComments = (
  { share }: Pick<Library, 'share'>,
  { eligibility }: Pick<Library, 'eligibility'>,
): boolean => share.restrictionComments && eligibility.showReasons;

/** The text whose keyed hash says what a copy was restricted with. */
export const carriedText = ({ until, codes, comment }: CarriedRestriction): string =>
  [until ?? '', codes.join(' '), comment ?? ''].join('|');

/** Names of what such a restriction passes on, for receipts. */
export const carriedFields = ({ comment }: CarriedRestriction): readonly string[] =>
  comment === null ? ['restricted'] : ['restricted', 'restriction_comment'];
