import type { ExpiryChoice } from '@passport/config';
import type { PatronChange, KohaPatron, RememberedCopy } from '@passport/koha-client';
import { type CopyTraits, isMergedCopy, isRenumbered } from './merged-copy.ts';
import type { PatronCopy } from './patron-copy.ts';

/** What may be said of one copy; each is counted in the report of a sweep. */
export const COPY_FINDINGS = [
  /** The copy is as the home library would have it. */
  'UNCHANGED',
  /** Fields of the copy get the home library's new values. */
  'REFRESHED',
  /** Somebody edited a field at the lending library: it stays, whatever home says. */
  'KEPT_LOCAL',
  /** Nothing is known of what was written: made before this was remembered, or without the plugin. */
  'NOT_REMEMBERED',
  /** What was written is remembered by a key that is not here. */
  'KEY_UNKNOWN',
  /** Home replaced the card. */
  'CARD_CHANGED',
  /** The expiry moved. */
  'EXPIRY_CHANGED',
  'HOME_RESTRICTED',
  'HOME_CARD_LOST',
  'HOME_EXPIRED',
  /** Home deleted or anonymised the patron; of a record that was not answered it needs two sweeps a day apart. */
  'HOME_GONE',
  /** Home did not answer for the patron once: not gone yet. */
  'HOME_MISSING',
  /** So many are missing at one home that it hides its patrons: nobody is taken for gone. */
  'HOME_BLIND',
  /** Home has merged the record into another with this card. */
  'HOME_MERGED',
  'MERGED_INTO_NATIVE',
  /** Home has given the number to somebody else: another card, and another birth date or other names. */
  'OTHER_PERSON',
  'COPY_ANONYMIZED',
  /** Home does not share the patron: nothing more of them is passed on. */
  'NOT_SHARED',
  /** The lending library made it its own patron. */
  'NOT_A_COPY',
  /** The library of the home key is none that copies may come from. */
  'HOME_UNKNOWN',
  /** The record is no patron by anything known of Koha, here or at home. */
  'UNREADABLE',
  /** The lending Koha did not take the change. */
  'NOT_TAKEN',
] as const;
export type CopyFinding = (typeof COPY_FINDINGS)[number];

/** Whether a value is what a keyed hash stands for; null where the hash's key is not here. */
export type IsWritten = (field: string, value: string | null, hash: string) => boolean | null;

/** One copy, its home record, and what is remembered of it. */
export interface RefreshCase {
  readonly copy: KohaPatron;
  readonly home: KohaPatron;
  readonly homeKey: string;
  readonly traits: Omit<CopyTraits, 'homeRecord'>;
  /** The values that a copy made now would have, '' for an agreed field that home has empty; fields outside the agreement are absent. */
  readonly wanted: Readonly<Record<string, string>>;
  readonly remembered: RememberedCopy | null;
  readonly isWritten: IsWritten;
}

export interface RefreshDecision {
  /** What to write; empty: nothing. */
  readonly change: Readonly<Record<string, string | null>>;
  /** Names of fields that stay as the lending library edited them. */
  readonly kept: readonly string[];
  /**
   * Fields that hold home's value already while something older is remembered: they were written, and that was not stored any more.
   * They follow home, whoever put the value there.
   */
  readonly settled: Readonly<Record<string, string | null>>;
  readonly findings: readonly CopyFinding[];
}

/** What becomes of one field. */
export type FieldDecision = 'same' | 'write' | 'kept' | 'unknown';

/**
 * Decides what a copy gets of its home record's present values: a field is written only where the copy still holds what the service
 * wrote there. Branch, category, attributes and all fields outside the agreement are none of its business.
 */
export function decideRefresh(the: RefreshCase): RefreshDecision {
  const { copy, home, wanted } = the;
  const stop = stopOf(the);
  if (stop !== null) return { change: {}, kept: [], settled: {}, findings: [stop] };
  const decided = Object.keys(wanted).map((field) => ({ field, decision: decideField(the, field) }));
  const named = (wish: FieldDecision): string[] =>
    decided.filter(({ decision }) => decision === wish).map(({ field }) => field);
  const [written, kept] = [named('write'), named('kept')];
  const change = Object.fromEntries(written.map((field) => [field, valueOf(wanted, field)]));
  const findings: CopyFinding[] = [
    ...(written.some((field) => field !== 'cardnumber' && field !== 'expiry_date')
      ? ['REFRESHED' as const]
      : []),
    ...('cardnumber' in change ? ['CARD_CHANGED' as const] : []),
    ...('expiry_date' in change ? ['EXPIRY_CHANGED' as const] : []),
    ...(kept.length > 0 ? ['KEPT_LOCAL' as const] : []),
    ...(named('unknown').length > 0 ? [unknownBecause(the)] : []),
    ...(home.restricted === true && copy.restricted !== true ? ['HOME_RESTRICTED' as const] : []),
    ...(home.cardLost === true && copy.cardLost !== true ? ['HOME_CARD_LOST' as const] : []),
    ...(home.expired === true && copy.expired !== true ? ['HOME_EXPIRED' as const] : []),
  ];
  return {
    change,
    kept,
    settled: settledFields(the, named('same')),
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
    ...(expiryDate === '' ? {} : { expiry_date: expiryDate }),
  };
}

function settledFields(
  { copy, homeKey, remembered, isWritten }: RefreshCase,
  same: readonly string[],
): Record<string, string | null> {
  if (remembered === null || remembered.homeKey !== homeKey) return {};
  const values = same.flatMap((field) => {
    const last = remembered.fields[field];
    const local = localValue(copy, field);
    if (last === undefined || local === undefined) return [];
    return isWritten(field, local, last.hash) === false ? [[field, local] as const] : [];
  });
  return Object.fromEntries(values);
}

/** Why a copy is left alone altogether, if it is. */
function stopOf({ copy, home, traits }: RefreshCase): CopyFinding | null {
  if (copy.anonymized === true) return 'COPY_ANONYMIZED';
  if (home.anonymized === true) return 'HOME_GONE';
  if (isMergedCopy(copy, { ...traits, homeRecord: home })) return 'MERGED_INTO_NATIVE';
  if (isRenumbered(copy, home)) return 'OTHER_PERSON';
  return null;
}

/** The three-way decision: what the copy holds, what home has now, and what was written last. */
function decideField(
  { copy, home, wanted, homeKey, remembered, isWritten }: RefreshCase,
  field: string,
): FieldDecision {
  const local = localValue(copy, field);
  const next = wanted[field] ?? '';
  if (local === undefined || (local ?? '').trim() === next.trim()) return 'same';
  // What home does not show is not empty there.
  if (next === '' && localValue(home, field) === undefined) return 'same';
  // Koha demands a surname and a card, and a copy without them is of use to nobody.
  if (next === '' && (field === 'surname' || field === 'cardnumber' || field === 'expiry_date'))
    return 'kept';
  if (remembered === null || remembered.homeKey !== homeKey) return 'unknown';
  const last = remembered.fields[field];
  // Never written by the service: an empty field is nobody's edit, any other is the lending library's.
  if (last === undefined) return (local ?? '') === '' ? 'write' : 'kept';
  const isOurs = isWritten(field, local, last.hash);
  if (isOurs === null) return 'unknown';
  return isOurs ? 'write' : 'kept';
}

function unknownBecause({ remembered, homeKey }: RefreshCase): CopyFinding {
  return remembered === null || remembered.homeKey !== homeKey ? 'NOT_REMEMBERED' : 'KEY_UNKNOWN';
}

/** Undefined where the lending Koha does not show the field. */
function localValue(copy: KohaPatron, field: string): string | null | undefined {
  if (field === 'cardnumber') return copy.cardnumber;
  if (field === 'expiry_date') return copy.expiryDate;
  return copy.fields[field];
}

function valueOf(wanted: Readonly<Record<string, string>>, field: string): string | null {
  const value = wanted[field] ?? '';
  return value === '' ? null : value;
}

/** The body of `PUT /patrons/{id}`: the changed keys, and the three that Koha demands, as they are there. */
export function refreshBody(copy: KohaPatron, change: Readonly<Record<string, string | null>>): PatronChange {
  return { surname: copy.surname, library_id: copy.libraryId, category_id: copy.categoryId, ...change };
}

/** Whether so many copies of one home library that were not answered mean that it hides its patrons, and not that they are gone. */
export function isBlind(missing: number, all: number): boolean {
  return missing > Math.max(10, all * 0.02);
}

/**
 * Whether a home that was requested for all of its copies answered for none. Of a handful of copies too few can be missing for
 * `isBlind`; but an API user that lost a permission, or a branch that hides its patrons, is likelier than that all of them left on the
 * same day. One copy alone says nothing.
 */
export function isNobodyShown(missing: number, copies: number): boolean {
  return missing === copies && copies > 1;
}
