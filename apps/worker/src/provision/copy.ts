import type { Library } from '@passport/config';
import type { PatronRestriction, RestrictionResult } from '@passport/koha-client';
import {
  type CarriedRestriction,
  buildPatronCopy,
  carriedFields,
  carriedRestriction,
  carriesRestriction,
  libraryById,
  sharesComments,
} from '@passport/patron-rules';
import type { ProvisionContext } from './context.ts';
import { type CopyOrder, orderCopy } from './copy-order.ts';
import { type NotCreated, createCopy } from './create-copy.ts';
import type { CreatePlaceBusy } from './create-access.ts';
import type { Found } from './find-patron.ts';
import { explainUnfound, findLocalCopy, isOfAnotherNumber, observeCopy } from './local-copy.ts';
import { appendReceipt, recordCopy, rememberCopy } from './record-copy.ts';
import { configuredCodes, confirmName } from './confirm-name.ts';
import {
  type CopyOutcome,
  type CopyThere,
  type Done,
  type MadeCopy,
  type Result,
  codeOf,
  done,
  misconfigured,
  othersFirst,
} from './result.ts';
import { decideFailure } from './retry-policy.ts';
import type { Scan } from './scan.ts';
import { type Step, openStep } from './step.ts';
import type { Locks } from './with-patron-lock.ts';

/** Copies the patron who was found to the lending library. A result where the copy is not there to be checked out to. */
export function copyPatron(
  scan: Scan,
  found: Found,
  locks: Locks,
  context: ProvisionContext,
): Promise<CopyThere | Result> {
  return scan.history.note({ library: scan.lending, step: 'copy', text: codeOf }, () =>
    copyFound(scan, found, locks, context),
  );
}

async function copyFound(
  scan: Scan,
  found: Found,
  locks: Locks,
  context: ProvisionContext,
): Promise<CopyThere | Result> {
  const { consortium, libraries, inStep } = context;
  const lending = libraryById(consortium, scan.lending);
  const { candidate, patron, home } = found;
  const homes = [home];
  try {
    const capabilities = await libraries.capabilities(scan.lending);
    const { branch, day: scannedOn } = scan;
    const accepts = (property: string): boolean => capabilities.patronProperties.has(property);
    const copy = buildPatronCopy({ patron, ...candidate, lending, branch, scannedOn, accepts });
    if (copy.kind === 'misconfigured') {
      const problem = { library: scan.lending, ...copy.problem };
      return done({ outcome: 'MISCONFIGURED', problem, homes });
    }
    const isCarried = carriesRestriction(patron, lending);
    const step = openStep(locks, context);
    // A copy that nobody can restrict could borrow where its patron cannot: none is made.
    const isCarriable = async () => capabilities.pluginRoutes && (await takesRestrictions(lending, step));
    if (isCarried && !(await inStep('copy', isCarriable))) {
      return { homes, ...misconfigured(scan.lending, { what: 'other', name: 'plugin' }) };
    }
    const atHome = isCarried ? await inStep('copy', () => readRestrictions(found, lending, step)) : null;
    const carried = isCarried ? carriedRestriction(atHome, { ...lending, today: scan.day }) : null;
    const order = orderCopy(scan, found, copy, lending, { consortium, capabilities, carried });
    const copied = await inStep('copy', () => ensureCopy(scan, order, step, context));
    if (copied.kind === 'busy') return othersFirst(scan, homes, copied.freeInMs);
    recordCopy(scan, order, copied, context);
    if (copied.kind === 'there') {
      if (copied.made.disclosed !== null) await locks.lock.noteCopy(copied.made);
      const keep = async () =>
        (await keepRestricted(order, copied, { isKnown: atHome !== null, step, context })) ??
        keepPrivacy(order, copied, step);
      const refused = await inStep('copy', keep);
      if (refused !== null) return { homes, ...refused };
    }
    return copied.kind === 'done' ? { homes, ...copied } : copied;
  } catch (error) {
    return failedCopy(home, error);
  }
}

/** Whether the plugin of the lending library restricts for the service. Throws KohaError or LibraryClosed. */
const takesRestrictions = ({ id }: Library, { read }: Step): Promise<boolean> =>
  read(id, (koha, limits) => koha.takesRestrictions('home', limits));

/** The patron's restrictions at home, by the plugin there; null where it cannot say. Throws KohaError or LibraryClosed. */
function readRestrictions(
  { patron: { patronId }, home, candidate }: Found,
  lending: Library,
  { read }: Step,
): Promise<readonly PatronRestriction[] | null> {
  const comments = sharesComments(candidate.home, lending);
  return read(home, (koha, limits) => koha.readPatronRestrictions(patronId, { ...limits, comments }), 'home');
}

interface RestrictingHow {
  /** Whether home has said what the patron is restricted with. */
  readonly isKnown: boolean;
  readonly step: Step;
  readonly context: Pick<ProvisionContext, 'consortium' | 'receipts' | 'records' | 'now' | 'remember'>;
}

/**
 * Restricts the copy as its patron is at home, before anything is checked out to it, and remembers what it holds: Koha takes no restriction at
 * a create, and one that was there already may be of a time when the patron had none, or of a run that ended before. Each run that finds the
 * copy comes here. Throws KohaError, LibraryClosed, LockLost or ScanCancelled.
 */
async function keepRestricted(
  order: CopyOrder,
  copied: CopyThere,
  how: RestrictingHow,
): Promise<Done | null> {
  const { carried, mode } = order;
  const { disclosed, patron_id: patronId } = copied.made;
  const isRestricting = carried !== null && mode === 'copy';
  if (isRestricting && disclosed === null && (await isOfAnotherNumber(order, patronId, how.context))) {
    return done({ outcome: 'MERGED_INTO_NATIVE', patronId });
  }
  let isSet = false;
  try {
    const result = isRestricting ? await restrict(order, carried, copied.made, how) : 'nothing';
    isSet = result === 'done';
    const isAsAtHome = isSet || result === 'nothing';
    return isAsAtHome ? null : misconfigured(order.lending, { what: 'other', name: result });
  } finally {
    rememberCopy(order, copied, isSet, how.context);
  }
}

async function restrict(
  { lending, home, homeKey, eventId }: CopyOrder,
  carried: CarriedRestriction,
  { disclosed, patron_id: patronId }: MadeCopy,
  { isKnown, step, context }: RestrictingHow,
): Promise<RestrictionResult | 'nothing'> {
  if (disclosed === null) {
    // What home cannot say changes nothing in one that is set.
    if (!isKnown && (await isRestrictedFor(home, { lending, patronId }, step))) return 'nothing';
    await step.assertWanted();
    const fields = carriedFields(carried);
    await appendReceipt({ home, lending, homeKey, fields, eventId, patronId, what: 'refreshed' }, context);
  }
  step.assertHeld();
  const { until, ...named } = carried;
  return step.call(lending, (koha) =>
    koha.setRestriction({ patronId, kind: 'home', library: home }, until, { ...named, signal: step.signal }),
  );
}

/** Whether the copy has the service's restriction for this home library, and it is not over. Throws KohaError or LibraryClosed. */
async function isRestrictedFor(
  home: string,
  { lending, patronId }: { readonly lending: string; readonly patronId: number },
  { read }: Step,
): Promise<boolean> {
  const page = { after: patronId - 1, upTo: patronId };
  const rows = await read(lending, (koha, limits) => koha.readRememberedCopies(page, limits));
  if (rows?.[0]?.restrictedAt.includes(home) !== true) return false;
  const copy = await read(lending, (koha, limits) => koha.readPatron(patronId, limits));
  return copy?.restricted === true;
}

/**
 * Raises the privacy of a copy that this event made to what it is at home: Koha takes it from the category at a create, whatever is sent. A
 * run that fails here looks for the copy again, and comes here again. Throws KohaError or LibraryClosed.
 */
async function keepPrivacy(
  order: CopyOrder,
  { made, privacy: shown = null }: CopyThere,
  step: Step,
): Promise<Done | null> {
  const { lending, branch, body, privacy } = order;
  if (privacy === null || made.disclosed === null) return null;
  const { patron_id: patronId } = made;
  // An earlier run may have made it: what staff have changed since stays.
  const there =
    shown === null ? await step.read(lending, (koha, limits) => koha.readPatron(patronId, limits)) : null;
  const has = shown ?? there?.privacy ?? null;
  if (has === null || has >= privacy) return null;
  step.assertHeld();
  const echoed =
    there === null
      ? { surname: body.surname, library_id: body.library_id, category_id: body.category_id }
      : { surname: there.surname, library_id: there.libraryId, category_id: there.categoryId };
  const change = { ...echoed, privacy };
  const changed = await step.call(lending, (koha) =>
    koha.changePatron(patronId, change, { branch }, { signal: step.signal }),
  );
  if (changed.kind !== 'refused') return null;
  return misconfigured(lending, await confirmName(lending, changed, configuredCodes(order), step));
}

/**
 * Makes sure that the copy is there, once. Idempotent by looking, not by remembering: whatever Koha answers that can
 * mean "is there already", and every answer that was lost, is followed by a look, by card and then by home key. So is what the claim finds
 * on record, before anything is sent.
 * Where the lending library only observes, nothing is created: a look, and a receipt of it. Throws KohaError or LibraryClosed where the look itself fails.
 */
async function ensureCopy(
  scan: Scan,
  order: CopyOrder,
  step: Step,
  context: ProvisionContext,
): Promise<CopyOutcome | CreatePlaceBusy> {
  if (order.mode === 'observe') {
    return observeCopy(order, step, await findLocalCopy(order, step, false, context), context);
  }
  const looksFirst = order.lookFirst !== null;
  if (looksFirst) await step.patronLock.take();
  let unsure = order.lookFirst === 'sent';
  let last: NotCreated | null = null;
  for (let tries = 0; ; tries += 1) {
    const found = looksFirst || last !== null ? await findLocalCopy(order, step, unsure, context) : null;
    if (found !== null) return found;
    if (last !== null && !mayTryAgain(last, tries)) {
      if (last.kind === 'lost') throw last.error;
      if (last.kind === 'found_there') return explainUnfound(order, last.because, step, context);
      return done({ outcome: 'LENDING_REFUSED' });
    }
    if (last?.kind === 'found_there') await step.pauseAfter(tries);
    const made = await createCopy(scan, order, step, tries === 0, context);
    if (made.kind === 'busy' || made.kind === 'there' || made.kind === 'done') return made;
    if (made.kind === 'on_record') {
      return ensureCopy(scan, { ...order, lookFirst: 'on_record' }, step, context);
    }
    last = made;
    unsure ||= last.kind !== 'found_there';
    // An error that is over lets the look wait until right before the next try.
    const isOver = last.kind === 'record_refused' || (last.kind === 'lost' && last.isTransient);
    if (isOver) await step.pauseAfter(tries + 1);
  }
}

/**
 * A deadlock in Koha's database is its own error too, and a desk's or a batch's writes can be in our way like our own:
 * eight tries with jitter stored 200 of 200 records that had 113 deadlocks between them (docs/decisions/0017-one-create-at-a-time.md).
 */
const MOST_REFUSALS = 8;
/** Namesakes at one desk at one moment are few; in a rush of them each try lets one more through. */
const MOST_RACES = 10;
/** Creates lost to an error page within one try, each followed by a look that was answered. */
const MOST_LOSSES = 3;

/** Whether a create after which nothing was found is worth one more try, after so many. */
function mayTryAgain(last: NotCreated, tries: number): boolean {
  switch (last.kind) {
    case 'lost':
      return last.isTransient && tries < MOST_LOSSES;
    case 'record_refused':
      return tries < MOST_REFUSALS;
    case 'found_there':
      // We send no login: Koha made one from the names, and a namesake created at the same moment was faster.
      return last.because.kind === 'userid_taken' && tries < MOST_RACES;
    default:
      return last satisfies never;
  }
}

/** The result of a failure at the lending library: it still says where. Throws what is no failure of a library. */
function failedCopy(home: string, error: unknown): Result {
  const failure = decideFailure(error);
  if (failure.kind === 'misconfigured') {
    return done({ outcome: 'MISCONFIGURED', problem: failure.problem, homes: [home] });
  }
  if (failure.kind !== 'wait') throw error;
  if (failure.library !== home) {
    return { ...failure, kind: 'retry', otherwise: { outcome: 'LENDING_UNREACHABLE', homes: [home] } };
  }
  const reasons = failure.reason === 'PAUSED' ? { reasons: ['PAUSED'] as const } : {};
  return { ...failure, kind: 'retry', otherwise: { outcome: 'HOME_UNREACHABLE', homes: [home], ...reasons } };
}
