import type { AppliedChanges, Library } from '@passport/config';
import { isOpenFinding } from '@passport/contract';
import { type KohaPatron, type RememberedCopy, isOfOneRecord, storeRemembered } from '@passport/koha-client';
import {
  CARD_LOST,
  RESTRICTED,
  type CarriedRestriction,
  type CopyFinding,
  type RefreshDecision,
  type RestrictionChange,
  buildPatronCopy,
  carriedFields,
  carriedRestriction,
  carriedText,
  type IsWritten,
  buildIsWritten,
  copyCategoriesOf,
  decideRefresh,
  hashedFields,
  isCopy,
  refreshBody,
  sharesComments,
  wantedValues,
} from '@passport/patron-rules';
import type { CopyRecord } from '@passport/queue/copies';
import { isOfTheLibrary } from '../koha/sweep-calls.ts';
import { type CopyPair, isShared } from './copy-pair.ts';
import type { PassedValues, Sending } from './pass-on.ts';
import type { SweepDeps } from './sweep-state.ts';

/** A library that keeps its copies as they are applies nothing. */
const NOTHING_APPLIED: AppliedChanges = {
  card: false,
  expiry: false,
  category: false,
  restricted: false,
  cardLost: false,
};

/** One copy with its home record, and what its refresh is done with. */
export interface Refresh extends CopyPair, Pick<SweepDeps, 'call' | 'passOn' | 'encryption' | 'now'> {
  readonly copy: KohaPatron;
  readonly homeRecord: KohaPatron;
  readonly homeKey: string;
  /** What the service itself knows of the copy; it names the same home key. */
  readonly record: CopyRecord;
  readonly remembered: RememberedCopy | null;
  readonly dryRun: boolean;
  /** Names the sweep, or the scan, beside what it writes. */
  readonly sweepId: string;
  /** What the patron is restricted with at home; null where that is not known, or not applied. */
  readonly carried?: CarriedRestriction | null;
}

/** The outcome of one copy. */
export interface Refreshed {
  readonly findings: readonly CopyFinding[];
  /** Those of them that somebody has to look at: what was applied is done. */
  readonly open: readonly CopyFinding[];
  readonly changed: number;
  readonly kept: number;
  /** Its standing was checked, is as the lending library was told last, and that it was checked is not noted yet. */
  readonly isChecked?: boolean;
}

export const dayOf = ({ now }: Pick<Refresh, 'now'>): string => new Date(now()).toISOString().slice(0, 10);

export const traitsAt = ({ copy }: Library) => ({
  homeKeyAttribute: copy.homeKeyAttribute,
  copyCategories: copyCategoriesOf(copy),
});

/** The outcome of a copy of which one thing is found, and that is left as it is. */
export const only = (finding: CopyFinding): Refreshed => ({
  findings: [finding],
  open: isOpenFinding(finding) ? [finding] : [],
  changed: 0,
  kept: 0,
});

/**
 * Refreshes one copy: decides, reads it again right before it is written, since Koha has no conditional write, decides again, writes
 * the changed keys only, and remembers them. Nothing leaves without its receipt, and nothing that the patron has not agreed to where
 * the lending library requests consent. Throws KohaError or LibraryClosed where the lending library did not answer, and SweepPaused
 * where its hour is used up.
 */
export async function refreshFields(begun: Refresh): Promise<Refreshed> {
  const { copy, homeRecord, record, home, lending, agreement } = begun;
  if (homeRecord.anonymized === true) return only('HOME_GONE');
  if (!isShared(homeRecord, begun)) return only('NOT_SHARED');
  const made = buildPatronCopy({
    patron: homeRecord,
    home,
    agreement,
    lending,
    branch: copy.libraryId,
    scannedOn: dayOf(begun),
    accepts: begun.accepts,
  });
  if (made.kind !== 'copy') return only('NOT_SHARED');
  const mayPass = consentedFields(record, lending);
  if (mayPass === null) return only('NO_CONSENT');
  const wanted = filterFields(wantedValues(made, lending.copy.expiry), mayPass);
  const refresh = { ...begun, carried: await readCarried(begun) };
  const first = decideFor(copy, wanted, refresh);
  if (changesNothing(first)) {
    if (!refresh.dryRun) await remember(copy, first.settled, refresh);
    return outcomeOf(first);
  }
  for (let tries = 1; ; tries += 1) {
    const refreshed = await refreshAsRead(wanted, refresh, tries === MOST_TRIES);
    if (refreshed !== 'again') return refreshed;
  }
}

/** Where the lending library did not take the write, be it closed just then: each try begins with a read, which waits for it. */
const MOST_TRIES = 4;

/**
 * Reads the copy again and writes what that leaves to be written: once, since an edit may come before another try. `again` where the
 * library did not take it, and this try is not the last.
 */
async function refreshAsRead(
  wanted: Readonly<Record<string, string>>,
  refresh: Refresh,
  isLast: boolean,
): Promise<Refreshed | 'again'> {
  const { copy, lending, call } = refresh;
  const fresh = await call(lending.id, (koha) => koha.readPatron(copy.patronId)).catch((error: unknown) => {
    if (isOfOneRecord(error)) return null;
    throw error;
  });
  if (fresh === null || fresh.hidden) return only('UNREADABLE');
  // A library makes a copy its own patron by emptying the passport.
  if (!isCopy(fresh, refresh.passportTypes)) return only('NOT_A_COPY');
  const decision = decideFor(fresh, wanted, refresh);
  if (changesNothing(decision) || refresh.dryRun) return outcomeOf(decision);
  const isWritten = await write(fresh, decision, refresh, isLast);
  if (isWritten === 'again') return 'again';
  // A field that is never taken keeps nobody restricted, and nobody free.
  const isRestricted = await restrict(decision.restriction, refresh);
  return isWritten && isRestricted ? outcomeOf(decision) : only('KOHA_REFUSED');
}

/** Fields of the copy itself: who agrees to be copied agrees to these. */
const OF_EVERY_COPY: readonly string[] = ['cardnumber', 'expiry_date', 'category_id'];

/** Which fields may be passed on by what the patron agreed to; null: none of the patron's, since nobody has asked them. */
function consentedFields(
  { agreed }: CopyRecord,
  { copy: { consent } }: Library,
): ((field: string) => boolean) | null {
  if (consent === null) return () => true;
  return agreed === null ? null : (field) => agreed.includes(field) || OF_EVERY_COPY.includes(field);
}

/** Whom a library asks for consent agrees to fields, and not to what their home library thinks of them: that is only reported. */
function appliedAt({ refresh, copy, eligibility }: Library): AppliedChanges {
  const applied = refresh?.applies ?? NOTHING_APPLIED;
  // What was carried into a copy when it was made follows home like all that was.
  const applies = { ...applied, restricted: applied.restricted || eligibility.restricted === 'allow' };
  return copy.consent === null ? applies : { ...applies, restricted: false, cardLost: false };
}

/** What home has of the restriction that the copy follows; null where there is none, or home's plugin cannot say. */
async function readCarried(refresh: Refresh): Promise<CarriedRestriction | null> {
  const { homeRecord, home, lending, remembered, call } = refresh;
  const isFollowed = homeRecord.restricted === true && remembered !== null && appliedAt(lending).restricted;
  if (!isFollowed) return null;
  const comments = sharesComments(home, lending);
  const read = await call(home.id, (koha) =>
    koha.readPatronRestrictions(homeRecord.patronId, { comments }),
  ).catch((error: unknown) => {
    if (isOfOneRecord(error)) return null;
    throw error;
  });
  return read && carriedRestriction(read, { ...lending, today: dayOf(refresh) });
}

const filterFields = (
  values: Readonly<Record<string, string>>,
  isWanted: (field: string) => boolean,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).filter(([field]) => isWanted(field)));

const changesNothing = ({ change, restriction }: RefreshDecision): boolean =>
  Object.keys(change).length === 0 && !restriction.isSet && restriction.lifted.length === 0;

const outcomeOf = ({ findings, change, kept, restriction }: RefreshDecision): Refreshed => {
  const applied: Partial<Record<CopyFinding, boolean>> = {
    CARD_CHANGED: 'cardnumber' in change,
    EXPIRY_CHANGED: 'expiry_date' in change,
    CATEGORY_CHANGED: 'category_id' in change,
    HOME_CARD_LOST: CARD_LOST in change,
    HOME_EXPIRED: 'expiry_date' in change,
    HOME_RESTRICTED: restriction.isSet,
    HOME_RESTRICTION_LIFTED: restriction.lifted.length > 0,
  };
  return {
    findings,
    open: findings.filter((finding) => isOpenFinding(finding) && applied[finding] !== true),
    changed: Object.keys(change).length,
    kept: kept.length,
  };
};

function decideFor(
  copy: KohaPatron,
  wanted: Readonly<Record<string, string>>,
  refresh: Refresh,
): RefreshDecision {
  const { homeRecord, homeKey, remembered, record, lending, isOwnCard: isOwn, carried = null } = refresh;
  return decideRefresh({
    copy,
    home: homeRecord,
    homeKey,
    traits: traitsAt(lending),
    wanted,
    remembered,
    passedOn: record.fields,
    isOwnCard: isOwn,
    applies: appliedAt(lending),
    carried,
    isWritten: writtenBy({ ...refresh, copy }),
  });
}

export const writtenBy = ({
  copy: { patronId },
  homeKey,
  record,
  lending,
  encryption,
}: Pick<Refresh, 'copy' | 'homeKey' | 'record' | 'lending' | 'encryption'>): IsWritten =>
  buildIsWritten({ lending: lending.id, patronId, homeKey, record }, encryption);

/** False where Koha refuses what the copy should hold; `again` where the library did not take it now. */
async function write(
  fresh: KohaPatron,
  { change, settled }: RefreshDecision,
  refresh: Refresh,
  isLast: boolean,
): Promise<boolean | 'again'> {
  const { call, passOn, lending } = refresh;
  const { patronId } = fresh;
  if (Object.keys(change).length === 0) {
    await remember(fresh, settled, refresh);
    return true;
  }
  const values = passedValues(Object.keys(change), refresh);
  const changed = await passOn(values, (sending) =>
    call(
      lending.id,
      (koha) =>
        sending(() => koha.changePatron(patronId, refreshBody(fresh, change), { branch: fresh.libraryId })),
      { isOnce: true },
    ),
  ).catch((error: unknown) => {
    // Should it have happened all the same, the next sweep finds home's value there.
    if (isOfOneRecord(error)) return { kind: 'refused' } as const;
    if (!isLast && isOfTheLibrary(error)) return { kind: 'again' } as const;
    throw error;
  });
  if (changed.kind === 'again') return 'again';
  if (changed.kind !== 'changed') return false;
  await remember(fresh, { ...settled, ...change }, refresh);
  return true;
}

/** Sets or lifts the restriction that stands for the one at home. False where the lending Koha, or its plugin, does not take it. */
async function restrict({ isSet, lifted }: RestrictionChange, refresh: Refresh): Promise<boolean> {
  if (!isSet && lifted.length === 0) return true;
  const { copy, home, lending, call, passOn } = refresh;
  const { patronId } = copy;
  const carried = refresh.carried ?? carriedRestriction(null, { ...lending, today: dayOf(refresh) });
  const { until, ...named } = carried;
  const values = passedValues(isSet ? carriedFields(carried) : ['restricted'], refresh);
  const at = (library: string) => ({ patronId, kind: 'home', library }) as const;
  const change = (sending: Sending): Promise<boolean> =>
    call(lending.id, async (koha) => {
      for (const library of lifted) await sending(() => koha.liftRestriction(at(library)));
      return !isSet || (await sending(() => koha.setRestriction(at(home.id), until, named))) === 'done';
    });
  const isTaken = await passOn(values, change).catch((error: unknown) => {
    if (isOfOneRecord(error)) return false;
    throw error;
  });
  if (isTaken && isSet) await remember(copy, { [RESTRICTED]: carriedText(carried) }, refresh);
  return isTaken;
}

const passedValues = (
  fields: readonly string[],
  { copy, homeKey, home, lending, sweepId }: Refresh,
): PassedValues => ({
  home: home.id,
  lending: lending.id,
  homeKey,
  fields,
  eventId: sweepId,
  patronId: copy.patronId,
});

async function remember(
  { patronId }: KohaPatron,
  values: Readonly<Record<string, string | null>>,
  { homeKey, remembered, lending, call, encryption, sweepId, now }: Refresh,
): Promise<void> {
  if (Object.keys(values).length === 0) return;
  const at = { lending: lending.id, patronId, homeKey };
  const written = hashedFields(at, values, { encryption, at: Math.floor(now() / 1000), event: sweepId });
  const withWritten = (before: typeof written): typeof written => ({ ...before, ...written });
  await call(lending.id, (koha) =>
    storeRemembered(koha, { patronId, homeKey }, withWritten, remembered),
  ).catch((error: unknown) => {
    // The next sweep finds home's value there, and stores it then.
    if (!isOfOneRecord(error)) throw error;
  });
}
