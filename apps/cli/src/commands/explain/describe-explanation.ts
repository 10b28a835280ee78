import type { Consortium, Library } from '@passport/config';
import type { Outcome, Question } from '@passport/contract';
import { type Explanation, areSoft } from '@passport/patron-rules';
import type { Report } from '../../program/index.ts';

/**
 * The outcome that the worker would reach, without what only a write shows (a mandatory attribute). A library
 * that only observes writes nothing, whoever is found.
 */
export function outcomeOf(explanation: Explanation, isObserving: boolean): Outcome {
  const outcome = outcomeOfCopy(explanation);
  const writes = outcome === 'COPIED' || WRITING_MATCHES.includes(explanation.local?.kind ?? 'nobody');
  return isObserving && writes && (outcome === 'COPIED' || outcome === 'ALREADY_LOCAL')
    ? 'OBSERVED'
    : outcome;
}

/** Copies that are there and would be changed. */
const WRITING_MATCHES: readonly string[] = ['our_copy_older_card', 'copy_of_other_number'];

/** Where the home library was not found, or not one. */
const OF_LOCATED: Readonly<Record<Exclude<Explanation['located'], 'found'>, Outcome>> = {
  not_a_card: 'NOT_A_CARD',
  nowhere: 'NOT_FOUND',
  no_answer: 'HOME_UNREACHABLE',
  gone: 'HOME_GONE',
  ambiguous: 'AMBIGUOUS_HOME',
  refused: 'MISCONFIGURED',
};

type Local = NonNullable<Explanation['local']>['kind'];

/** By what the lending library has of the patron. */
const OF_LOCAL: Readonly<Record<Local, Outcome>> = {
  nobody: 'COPIED',
  our_copy: 'ALREADY_LOCAL',
  our_copy_older_card: 'ALREADY_LOCAL',
  copy_of_other_number: 'ALREADY_LOCAL',
  copy_without_key: 'ALREADY_LOCAL',
  native: 'ALREADY_LOCAL',
  copy_anonymized: 'COPY_ANONYMIZED',
  copy_merged: 'MERGED_INTO_NATIVE',
  card_of_another: 'LOCAL_CONFLICT',
};

function outcomeOfCopy({ located, judgement, problem, local, lookAlike }: Explanation): Outcome {
  if (located !== 'found') return OF_LOCATED[located];
  if (judgement === 'not_shared') return 'NOT_FOUND';
  if (judgement === 'not_eligible') return 'NOT_ELIGIBLE';
  if (lookAlike) return 'LOOKS_LIKE_LOCAL_PATRON';
  return problem === null ? OF_LOCAL[local?.kind ?? 'nobody'] : 'MISCONFIGURED';
}

/** The text that the desk would show first, by its id; null: the patron is copied without, or not at all. */
export function consentOf(
  { located, judgement }: Explanation,
  { copy: { consent, mode } }: Library,
): string | null {
  const mayBeCopied = located === 'found' && judgement === 'eligible' && mode !== 'observe';
  return mayBeCopied && consent !== null ? consent.textId : null;
}

/** What staff at a desk would be asked before it came to that; null: nothing. */
export function asksOf(
  { located, judgement, homes, reasons }: Explanation,
  { copy: { mode }, eligibility }: Library,
): Question | null {
  if (mode === 'observe') return null;
  if (located === 'ambiguous') return homes.length > 1 ? 'HOME_CHOICE' : null;
  const isSoft = judgement === 'not_eligible' && areSoft(reasons, eligibility);
  return located === 'found' && isSoft ? 'OVERRIDE' : null;
}

const ASKS_TEXT: Readonly<Record<Question, string>> = {
  HOME_CHOICE: 'staff choose between these libraries',
  OVERRIDE: 'staff with the permission force_checkout may override this',
};

const LOCAL_TEXT: Readonly<Record<Local, string>> = {
  nobody: 'nobody has the card yet',
  our_copy: 'the copy already exists',
  our_copy_older_card: 'the copy exists with an older card, which would be changed',
  card_of_another: 'the card belongs to somebody else',
  copy_of_other_number:
    'the copy exists under a number that the home library no longer uses, which would be changed',
  copy_anonymized: 'the copy exists, but was anonymised',
  copy_merged: "the copy was merged into one of the library's own patrons",
  copy_without_key: 'an older copy from this home library, made without our home key',
  native: "one of the library's own patrons has this card",
};

const LOOK_ALIKE_TEXT = 'nobody has the card, but somebody of this name and birth date is registered';

const WITHHELD_TEXT: Record<string, string> = {
  category: 'the home library does not share this patron category',
  opt_out: 'the patron has opted out at home',
  unverifiable: 'a fact that decides whether the patron is shared is missing',
};

function eligibilityOf({ judgement, notSharedBecause, reasons }: Explanation): string | null {
  if (judgement === null) return null;
  if (judgement === 'eligible') return 'may borrow';
  if (judgement === 'not_eligible') return `may not borrow: ${reasons.join(', ')}`;
  return WITHHELD_TEXT[notSharedBecause ?? ''] ?? 'not shared';
}

const nobodyBecause = ({ located }: Explanation): string =>
  located === 'not_a_card' ? 'nobody: the card matches no pattern' : 'nobody';

/** The explanation as lines for a person: names and codes, no value of any patron. */
export function describeExplanation(
  explanation: Explanation,
  {
    outcome,
    asks,
    consent,
    paused,
  }: {
    readonly outcome: Outcome;
    readonly asks: Question | null;
    readonly consent: string | null;
    readonly paused: readonly string[];
  },
  { libraries }: Consortium,
  colors: Report['colors'],
): string[] {
  const nameOf = (id: string): string => libraries.find((library) => library.id === id)?.name ?? id;
  const { queried, homes, silent, refused, problem, copy, local, lookAlike } = explanation;
  const rows: (readonly [string, string | null])[] = [
    ['queried', queried.length > 0 ? queried.join(', ') : nobodyBecause(explanation)],
    ['found at', homes.length === 0 ? null : homes.map(nameOf).join(', ')],
    ...silent.map(({ library, reason }) => ['no answer', `${library} (${reason})`] as const),
    ...paused.map((pause) => ['paused', pause] as const),
    ...refused.map(
      ({ library, problem: { what, name } }) =>
        ['refused by', `${library}: ${what} ${name ?? ''}`.trimEnd()] as const,
    ),
    ['eligibility', eligibilityOf(explanation)],
    ['at the desk', asks === null ? null : ASKS_TEXT[asks]],
    ['consent', consent === null ? null : `the patron must agree at the desk first: text ${consent}`],
    [
      'problem',
      problem === null ? null : `${problem.library}: ${problem.what} ${problem.name ?? ''}`.trimEnd(),
    ],
    ['here', lookAlike ? LOOK_ALIKE_TEXT : local === null ? null : LOCAL_TEXT[local.kind]],
    [
      'copy',
      copy === null
        ? null
        : `category ${copy.category}, branch ${copy.branch}, expires ${copy.expiryDate ?? "by the category's rule"}`,
    ],
    [
      'restriction',
      copy?.restricted === true ? 'restricted at home: the copy would be, with type and end of that' : null,
    ],
    ['fields', copy === null ? null : copy.fields.join(' ')],
    ['attributes', copy === null ? null : copy.attributeTypes.join(' ')],
  ];
  const lines = rows.filter((row): row is readonly [string, string] => row[1] !== null);
  return [colors.bold(outcome), ...lines.map(([what, text]) => `  ${colors.dim(what.padEnd(13))}${text}`)];
}
