import type { Library } from '@passport/config';
import { type OpenFindingCode, type StandingReason, isOpenFinding } from '@passport/contract';
import { type KohaPatron, type RememberedCopy, isOfOneRecord, storeRemembered } from '@passport/koha-client';
import {
  STANDING,
  type CopyFinding,
  type IsWritten,
  type StandingChange,
  decideStandingChange,
  hashedFields,
  homeKeysOf,
  isCopy,
  standingText,
} from '@passport/patron-rules';
import type { CopyRecord } from '@passport/queue/copies';
import type { PassedValues, Sending } from './pass-on.ts';
import type { SweepDeps } from './sweep-state.ts';

/** One copy on record, and what its standing is checked with. */
export interface StandingCheck extends Pick<SweepDeps, 'call' | 'passOn' | 'encryption' | 'now'> {
  readonly home: Pick<Library, 'id' | 'name'>;
  readonly lending: Library;
  readonly passportTypes: ReadonlySet<string>;
  readonly copy: KohaPatron;
  readonly homeKey: string;
  readonly record: CopyRecord;
  readonly remembered: RememberedCopy | null;
  readonly isWritten: IsWritten;
  readonly dryRun: boolean;
  /** Names the sweep, or the scan, beside what it writes. */
  readonly sweepId: string;
}

/** The outcome of one check. */
export interface CheckedStanding {
  readonly findings: readonly CopyFinding[];
  /** Those of them that somebody has to look at. */
  readonly open: readonly CopyFinding[];
  readonly changed: number;
  /** What the plugin remembers of the copy after it. */
  readonly remembered: RememberedCopy | null;
  /** It is as the lending library was told last, and only when that was checked is left to note. */
  readonly isAsBefore: boolean;
  /** It was restricted for it just now, which `copy` does not show yet. */
  readonly restricts: boolean;
}

/**
 * Tells the lending library the standing of a copy's patron where it is news there, and restricts the copy or frees it as the library
 * has chosen. The news has its receipt and its place in the hour, as new values of the copy have. Nothing of patrons who were never asked
 * for their consent where the library requests it, and nothing where the plugin cannot remember it. Throws KohaError or LibraryClosed
 * where the lending library did not answer, and SweepPaused where its hour is used up.
 */
export async function checkStanding(
  check: StandingCheck,
  reasons: readonly StandingReason[],
): Promise<CheckedStanding> {
  const { remembered, lending, record, homeKey, dryRun } = check;
  const nothing = { findings: [], open: [], changed: 0, remembered, isAsBefore: false, restricts: false };
  if (remembered?.homeKey !== homeKey) return nothing;
  // Of whom nobody has asked, nothing is said, and what was said before is taken back.
  const isAsked = lending.copy.consent === null || record.agreed !== null;
  const told = isAsked ? lending : ({ ...lending, standing: 'off' } as const);
  const change = decideStandingChange(reasons, { ...check, lending: told, remembered });
  const { findings, isNews, shown } = change;
  const found = { findings, open: findings.filter((each) => change.isOpen && isOpenFinding(each)) };
  if (!isNews) return { ...nothing, ...found, isAsBefore: shown !== null };
  const restricts = change.restricted !== null;
  if (dryRun) return { ...nothing, ...found, changed: 1, restricts };
  if (change.restricted !== null) {
    if (!(await isStillCopy(check))) return { ...nothing, ...one('NOT_A_COPY') };
    // A visit has checked it since this was read: its look is the newer one.
    if (!(await isStillRemembered(remembered, check))) return nothing;
  }
  try {
    const after = await tell(change, remembered, check);
    return after === null
      ? { ...nothing, ...one('KOHA_REFUSED') }
      : { ...nothing, ...found, changed: 1, remembered: after, restricts };
  } catch (error) {
    if (!isOfOneRecord(error)) throw error;
    return { ...nothing, ...one('KOHA_REFUSED') };
  }
}

const one = (finding: OpenFindingCode) => ({ findings: [finding], open: [finding] }) as const;

async function isStillRemembered(
  { patronId, version }: RememberedCopy,
  { lending, call }: StandingCheck,
): Promise<boolean> {
  const range = { after: patronId - 1, upTo: patronId };
  const rows = await call(lending.id, (koha) => koha.readRememberedCopies(range));
  return rows?.[0]?.version === version;
}

/** A library makes a copy its own patron by emptying the passport or changing its home key: nobody restricts that one. */
async function isStillCopy({ copy, lending, call, passportTypes, homeKey }: StandingCheck): Promise<boolean> {
  const fresh = await call(lending.id, (koha) => koha.readPatron(copy.patronId)).catch((error: unknown) => {
    if (isOfOneRecord(error)) return null;
    throw error;
  });
  return (
    fresh !== null &&
    !fresh.hidden &&
    fresh.anonymized !== true &&
    isCopy(fresh, passportTypes) &&
    homeKeysOf(fresh, lending.copy).join() === homeKey
  );
}

/** Returns what is remembered after it; null where the lending Koha does not take it. What was restricted is told last: a run that dies before does all of it again. */
async function tell(
  { shown, restricted, lifted }: StandingChange,
  remembered: RememberedCopy,
  check: StandingCheck,
): Promise<RememberedCopy | null> {
  const { home, lending, copy, homeKey, call, passOn, encryption, sweepId, now } = check;
  const { patronId } = copy;
  const at = (library: string) => ({ patronId, kind: 'standing', library }) as const;
  const text = shown === null ? null : standingText(shown.isGood, shown.reasons);
  const written = hashedFields(
    { lending: lending.id, patronId, homeKey },
    { [STANDING]: text },
    { encryption, at: Math.floor(now() / 1000), event: sweepId },
  );
  const withTold = (before: typeof written): typeof written => ({ ...before, ...written });
  const work = (sending: Sending): Promise<RememberedCopy | null> =>
    call(lending.id, async (koha) => {
      for (const library of lifted) await sending(() => koha.liftRestriction(at(library)));
      if (restricted !== null) {
        const result = await sending(() => koha.setRestriction(at(home.id), null, { codes: restricted }));
        if (result !== 'done') return null;
      }
      const row = { patronId, homeKey, standing: shown };
      const stored = await sending(() => storeRemembered(koha, row, withTold, remembered));
      return stored === null ? null : { ...remembered, ...stored };
    });
  if (shown === null) return work((request) => request());
  const values: PassedValues = {
    home: home.id,
    lending: lending.id,
    homeKey,
    fields: [STANDING],
    eventId: sweepId,
    patronId,
  };
  return passOn(values, work);
}

/** Notes when the standing of copies was checked that is as it was. */
export async function noteChecked(
  lending: string,
  patronIds: readonly number[],
  call: SweepDeps['call'],
): Promise<void> {
  if (patronIds.length > 0) await call(lending, (koha) => koha.noteChecked(patronIds));
}
