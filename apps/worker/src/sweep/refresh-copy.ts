import type { Consortium } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import {
  decideStanding,
  isCopy,
  isInForeignCategory,
  isLeftAlone,
  isNumberOf,
  passportTypes,
  withoutOverridden,
} from '@passport/patron-rules';
import { type CheckedStanding, type StandingCheck, checkStanding } from './check-standing.ts';
import {
  type Refresh,
  type Refreshed,
  dayOf,
  only,
  refreshFields,
  traitsAt,
  writtenBy,
} from './refresh-fields.ts';

/**
 * Checks the standing of one copy's patron, and refreshes the copy: in this order, since a desk may wait for the first. Throws KohaError or
 * LibraryClosed where the lending library did not answer, and SweepPaused where its hour is used up.
 */
export async function refreshCopy(read: Refresh): Promise<Refreshed> {
  const refresh = { ...read, homeRecord: inFormOf(read.copy, read) };
  const standing = await checkStandingOf(refresh);
  // Whom the standing has restricted is restricted here, as at home.
  const copy = standing?.restricts === true ? { ...refresh.copy, restricted: true } : refresh.copy;
  const remembered = standing?.remembered ?? refresh.remembered;
  const fields = await refreshFields({ ...refresh, copy, remembered });
  if (standing === null) return fields;
  return {
    ...fields,
    findings: [...new Set([...fields.findings, ...standing.findings])],
    open: [...new Set([...fields.open, ...standing.open])],
    changed: fields.changed + standing.changed,
    isChecked: standing.isAsBefore,
  };
}

/** The home record, with the card in the form that the copy has of it: that is no other card, and none that follows. */
const inFormOf = (
  copy: KohaPatron,
  { home, homeRecord }: Pick<Refresh, 'home' | 'homeRecord'>,
): KohaPatron =>
  isNumberOf(home, copy.cardnumber ?? '', homeRecord.cardnumber ?? '')
    ? { ...homeRecord, cardnumber: copy.cardnumber }
    : homeRecord;

/** Null where nothing is said of it: the record is nobody's copy any more, or home has given the number to somebody else. */
async function checkStandingOf(refresh: Refresh): Promise<CheckedStanding | null> {
  const { copy, homeRecord, lending, record } = refresh;
  const traits = traitsAt(lending);
  const isWritten = writtenBy(refresh);
  const whose = { ...refresh, home: homeRecord, traits, passedOn: record.fields, isWritten };
  if (!isCopy(copy, refresh.passportTypes) || isLeftAlone(whose)) return null;
  // Who is gone from home cannot be compared: a record in a category of the library's own may be its own patron.
  if (homeRecord.anonymized === true && isInForeignCategory(copy, traits)) return null;
  const decided = decideStanding({ ...refresh, today: dayOf(refresh) });
  const reasons = withoutOverridden(decided, record.overridden, lending, refresh.now());
  return checkStanding({ ...refresh, isWritten }, reasons);
}

/**
 * Whether a lending library may have no copies of a home library any more: that has left, or the two have no agreement. One that is shut
 * out (`enabled: false`) is a member still.
 */
export function hasEnded(
  { libraries, agreements }: Consortium,
  { lending, home }: { readonly lending: string; readonly home: string },
): boolean {
  const known = libraries.find(({ id }) => id === home);
  return (known === undefined || known.enabled) && !agreements.homesAt(lending).has(home);
}

/**
 * Tells the lending library that a copy is of a library with which it has no agreement any more; home is not asked, and so nothing is
 * said of a record in a category of the library's own. Throws as `refreshCopy` does.
 */
export async function endStanding({
  home: id,
  consortium,
  ...copy
}: Omit<StandingCheck, 'home' | 'passportTypes' | 'isWritten'> & {
  readonly home: string;
  readonly consortium: Consortium;
}): Promise<Refreshed> {
  if (isInForeignCategory(copy.copy, traitsAt(copy.lending)) || copy.copy.anonymized === true)
    return only('HOME_UNKNOWN');
  const home = { id, name: consortium.libraries.find((each) => each.id === id)?.name ?? id };
  const of = { ...copy, home, passportTypes: passportTypes(consortium), isWritten: writtenBy(copy) };
  const { findings, changed, isAsBefore } = await checkStanding(of, ['NO_AGREEMENT']);
  const { open } = only('HOME_UNKNOWN');
  return { findings: ['HOME_UNKNOWN', ...findings], open, changed, kept: 0, isChecked: isAsBefore };
}
