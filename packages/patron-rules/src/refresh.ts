import type { AppliedChanges, ExpiryChoice } from '@passport/config';
import type { PatronChange, KohaPatron, RememberedCopy } from '@passport/koha-client';
import { type CarriedRestriction, carriedText } from './carried-restriction.ts';
import type { CopyFinding } from './copy-findings.ts';
import { type CopyTraits, isMergedCopy } from './merged-copy.ts';
import { isRenumbered } from './renumbered.ts';
import { type PatronCopy, leastPrivacy } from './patron-copy.ts';
import { CARD_LOST, type IsWritten, RESTRICTED } from './written-fields.ts';

/** One copy, its home record, and what is remembered of it. */
export interface RefreshCase {
  readonly copy: KohaPatron;
  readonly home: KohaPatron;
  readonly homeKey: string;
  readonly traits: Omit<CopyTraits, 'homeRecord'>;
  /** The values that a copy made now would have, '' for an agreed field that home has empty; fields outside the agreement are absent. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly remembered: RememberedCopy | null;
  /** Names of the fields that were ever passed on, by the service's own record of the copy. */
  readonly passedOn: readonly string[];
  /** Whether a card can be one of the home library's own. */
  readonly isOwnCard: (card: string) => boolean;
  /** Which changes at home the copy follows; the others are reported only. */
  readonly applies: AppliedChanges;
  /** What the patron is restricted with at home; null where that cannot be known, or is of no interest. */
  readonly carried: CarriedRestriction | null;
  readonly isWritten: IsWritten;
}

export interface RefreshDecision {
  /** What to write; empty: nothing. */
  readonly change: Readonly<Record<string, string | null>>;
  /** Names of fields that stay as the lending library edited them. */
  readonly kept: readonly string[];
  /**
   * Fields to remember as they are. Those that hold home's value already while something older is remembered were written, and that
   * was not stored any more: they follow home, whoever put the value there. One that was never passed on, and is empty, is
   * remembered as empty: with that it follows home from the next look on.
   */
  readonly settled: Readonly<Record<string, string | null>>;
  readonly restriction: RestrictionChange;
  readonly findings: readonly CopyFinding[];
}

/** What becomes of the restriction that stands for the one at home. Those of the lending library are none of its business. */
export interface RestrictionChange {
  readonly isSet: boolean;
  /** The home libraries whose restriction is lifted: this one, or what it was called before. */
  readonly lifted: readonly string[];
}

const NO_RESTRICTION: RestrictionChange = { isSet: false, lifted: [] };

/** What becomes of one field. `not_remembered`, `key_unknown`: nobody can say who wrote what is there. `first`: see `settled`. */
type FieldDecision = 'same' | 'write' | 'kept' | 'first' | 'not_remembered' | 'key_unknown';

/**
 * Decides what a copy gets of its home record's present values: a field is written only where the copy still holds what the service
 * wrote there, by the hash that is remembered of it, be it that it was empty. Branch, attributes and all fields outside the agreement are none of its business.
 */
export function decideRefresh(input: RefreshCase): RefreshDecision {
  const { applies } = input;
  const stop = stopOf(input);
  if (stop !== null) {
    return { change: {}, kept: [], settled: {}, restriction: NO_RESTRICTION, findings: [stop] };
  }
  const wanted = { ...input.wanted, ...wantedMark(input) };
  const decided = Object.keys(wanted).map((field) => ({
    field,
    decision: decideField({ ...input, wanted }, field),
  }));
  const named = (wish: FieldDecision): string[] =>
    decided.filter(({ decision }) => decision === wish).map(({ field }) => field);
  const [written, kept] = [named('write'), named('kept')];
  const isTaken = !written.includes('cardnumber') || input.isOwnCard(wanted['cardnumber'] ?? '');
  const applied = written.filter(
    (field) =>
      (field !== 'cardnumber' || (applies.card && isTaken)) &&
      (field !== 'expiry_date' || applies.expiry) &&
      (field !== 'category_id' || applies.category),
  );
  const restriction = decideRestriction(input);
  const privacy = decidePrivacy(input);
  const isRefreshed = written.some((field) => !ABOUT_THE_MEMBERSHIP.has(field)) || 'privacy' in privacy;
  const findings: CopyFinding[] = [
    ...(isRefreshed ? ['REFRESHED' as const] : []),
    ...(written.includes('cardnumber')
      ? [isTaken ? ('CARD_CHANGED' as const) : ('CARD_NOT_OF_HOME' as const)]
      : []),
    ...(written.includes('expiry_date') ? ['EXPIRY_CHANGED' as const] : []),
    ...(written.includes('category_id') ? ['CATEGORY_CHANGED' as const] : []),
    ...(kept.length > 0 ? ['KEPT_LOCAL' as const] : []),
    ...(named('not_remembered').length > 0 ? ['NOT_REMEMBERED' as const] : []),
    ...(named('key_unknown').length > 0 ? ['PASSPORT_KEY_UNKNOWN' as const] : []),
    ...findingsOfHome(input, restriction),
    ...(written.includes(CARD_LOST) && wanted[CARD_LOST] === '' ? ['HOME_CARD_FOUND' as const] : []),
  ];
  return {
    change: { ...Object.fromEntries(applied.map((field) => [field, valueOf(wanted, field)])), ...privacy },
    kept,
    settled: {
      ...settledFields(input, named('same')),
      ...Object.fromEntries(named('first').map((field) => [field, ''])),
    },
    restriction: applies.restricted ? restriction : NO_RESTRICTION,
    findings: findings.length === 0 ? ['UNCHANGED'] : findings,
  };
}

/**
 * The values that a copy made now would have, '' for an agreed field that home has empty. The expiry is home's to move only where it is
 * home's date: a date counted from the scan would move with every sweep.
 */
export function wantedValues(
  { body, agreed }: Extract<PatronCopy, { kind: 'copy' }>,
  expiry: ExpiryChoice,
): Readonly<Record<string, string>> {
  const text = (name: string): string => {
    const value = body[name];
    return typeof value === 'string' ? value : '';
  };
  const contact = Object.fromEntries(agreed.map((name) => [name, text(name)]));
  const expiryDate = expiry.kind === 'home' ? text('expiry_date') : '';
  return {
    ...contact,
    cardnumber: body.cardnumber,
    category_id: body.category_id,
    ...(expiryDate === '' ? {} : { expiry_date: expiryDate }),
  };
}

/** The values of a home record that a copy holds already, and that are not empty. */
export const equalValues = (
  copy: KohaPatron,
  wanted: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(wanted).filter(
      ([field, value]) => value.trim() !== '' && (localValue(copy, field) ?? '').trim() === value.trim(),
    ),
  );

const MARKED = 'true';
/** Fields that are findings of their own when they change. */
const ABOUT_THE_MEMBERSHIP: ReadonlySet<string> = new Set([
  'cardnumber',
  'expiry_date',
  'category_id',
  CARD_LOST,
]);

/** The mark of a lost card, where the copy follows home in it. The lending library's own mark stays: only what was set here goes. */
function wantedMark({ home, remembered, applies, isWritten }: RefreshCase): Readonly<Record<string, string>> {
  if (!applies.cardLost) return {};
  if (home.cardLost === true) return { [CARD_LOST]: MARKED };
  const last = remembered?.fields[CARD_LOST];
  return last !== undefined && isWritten(CARD_LOST, MARKED, last.hash) !== false ? { [CARD_LOST]: '' } : {};
}

/** Raised to home's whoever has set it, and never lowered: what a patron's checkouts are kept for is no field that follows home. */
function decidePrivacy({ copy, home }: RefreshCase): Readonly<Record<string, string>> {
  const least = leastPrivacy(home);
  return least !== null && copy.privacy !== null && copy.privacy < least ? { privacy: String(least) } : {};
}

/** What home does not say of a restriction changes nothing in one that is set. */
function decideRestriction({
  home,
  homeKey,
  remembered,
  carried,
  isWritten,
}: RefreshCase): RestrictionChange {
  if (remembered?.homeKey !== homeKey) return NO_RESTRICTION;
  const { restrictedAt } = remembered;
  const [library = ''] = homeKey.split(':');
  const last = remembered.fields[RESTRICTED];
  const isAsHome =
    carried === null ||
    (last !== undefined && isWritten(RESTRICTED, carriedText(carried), last.hash) === true);
  const isRestricted = restrictedAt.includes(library) && isAsHome;
  return {
    isSet: home.restricted === true && !isRestricted,
    lifted: restrictedAt.filter((at) => home.restricted === false || at !== library),
  };
}

function findingsOfHome(
  { copy, home, applies }: RefreshCase,
  { isSet, lifted }: RestrictionChange,
): CopyFinding[] {
  const isRestricted = copy.restricted === true && !(applies.restricted && isSet);
  return [
    ...(home.restricted === true && !isRestricted ? ['HOME_RESTRICTED' as const] : []),
    ...(home.restricted === false && lifted.length > 0 ? ['HOME_RESTRICTION_LIFTED' as const] : []),
    ...(home.cardLost === true && copy.cardLost !== true ? ['HOME_CARD_LOST' as const] : []),
    ...(home.expired === true && copy.expired !== true ? ['HOME_EXPIRED' as const] : []),
  ];
}

function settledFields(
  { copy, homeKey, remembered, isWritten }: RefreshCase,
  same: readonly string[],
): Record<string, string | null> {
  if (remembered === null || remembered.homeKey !== homeKey) return {};
  const values = same.flatMap((field) => {
    const last = remembered.fields[field];
    const local = localValue(copy, field);
    // A mark that is there may be the lending library's own.
    if (last === undefined || local === undefined || field === CARD_LOST) return [];
    return isWritten(field, local, last.hash) === false ? [[field, local] as const] : [];
  });
  return Object.fromEntries(values);
}

type WhoseCopy = Pick<RefreshCase, 'copy' | 'home' | 'traits' | 'remembered' | 'passedOn' | 'isWritten'>;

/** Whether a record is nobody's copy any more, or another patron's than the one at home. */
export function isLeftAlone(input: WhoseCopy): boolean {
  const stop = stopOf(input);
  return stop !== null && stop !== 'HOME_GONE';
}

/** Why a copy is left alone altogether, if it is. */
function stopOf(input: WhoseCopy): CopyFinding | null {
  const { copy, home, traits, remembered } = input;
  if (copy.anonymized === true) return 'COPY_ANONYMIZED';
  if (home.anonymized === true) return 'HOME_GONE';
  if (isMergedCopy(copy, { ...traits, homeRecord: home })) return 'MERGED_INTO_NATIVE';
  return isRenumbered({ ...input, fields: remembered?.fields ?? {} }) ? 'OTHER_PERSON' : null;
}

/** The three-way decision: what the copy holds, what home has now, and what was written last. */
function decideField(
  { copy, home, wanted, homeKey, remembered, passedOn, isWritten }: RefreshCase,
  field: string,
): FieldDecision {
  const local = localValue(copy, field);
  const next = wanted[field] ?? '';
  if (local === undefined || (local ?? '').trim() === next.trim()) return 'same';
  // What home does not show is not empty there.
  if (next === '' && localValue(home, field) === undefined) return 'same';
  // Koha demands a surname and a card, and a copy without them is of use to nobody.
  if (
    next === '' &&
    (field === 'surname' || field === 'cardnumber' || field === 'expiry_date' || field === 'category_id')
  )
    return 'kept';
  if (remembered === null || remembered.homeKey !== homeKey) return 'not_remembered';
  const last = remembered.fields[field];
  if (last === undefined) {
    if ((local ?? '') !== '') return 'kept';
    // What was passed on before is remembered, unless somebody at the lending library has taken that away.
    return passedOn.includes(field) ? 'not_remembered' : 'first';
  }
  const isOurs = isWritten(field, local, last.hash);
  if (isOurs === null) return 'key_unknown';
  return isOurs ? 'write' : 'kept';
}

/** Undefined where the lending Koha does not show the field. */
function localValue(copy: KohaPatron, field: string): string | null | undefined {
  if (field === 'cardnumber') return copy.cardnumber;
  if (field === 'expiry_date') return copy.expiryDate;
  if (field === 'category_id') return copy.categoryId;
  if (field === CARD_LOST) return copy.cardLost === null ? undefined : copy.cardLost ? MARKED : '';
  return copy.fields[field];
}

function valueOf(wanted: Readonly<Record<string, string>>, field: string): string | null {
  const value = wanted[field] ?? '';
  return value === '' ? null : value;
}

/** The body of `PUT /patrons/{id}`: the changed keys, and the three that Koha demands, as they are there. */
export function refreshBody(copy: KohaPatron, change: Readonly<Record<string, string | null>>): PatronChange {
  const demanded = { surname: copy.surname, library_id: copy.libraryId, category_id: copy.categoryId };
  const mark = CARD_LOST in change ? { [CARD_LOST]: change[CARD_LOST] === MARKED } : {};
  const privacy = 'privacy' in change ? { privacy: Number(change['privacy']) } : {};
  return { ...demanded, ...change, ...mark, ...privacy };
}

/** Whether so many copies of one home library that were not answered mean that it hides its patrons, and not that they are gone. */
export function isBlind(missing: number, all: number): boolean {
  return missing > Math.max(10, all * 0.02);
}

/**
 * Whether the home library returned none of the records of its copies. Of a handful of copies too few can be missing for
 * `isBlind`; but an API user that lost a permission, or a branch that hides its patrons, is likelier than that all of them left on the
 * same day. One copy alone says nothing.
 */
export function isNobodyShown(missing: number, copies: number): boolean {
  return missing === copies && copies > 1;
}
