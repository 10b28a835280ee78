import type { Library } from '@passport/config';
import { type CheckoutResult, KohaError } from '@passport/koha-client';
import { libraryById } from '@passport/patron-rules';
import { SLOT_WAIT_WHEN_FREE_MS } from '../koha/connect-libraries.ts';
import { isKohaFailure } from '../koha/koha-failure.ts';
import { confirmName } from './confirm-name.ts';
import type { ProvisionContext } from './context.ts';
import {
  type CheckoutOutcome,
  type MadeCopy,
  NOT_ASKED,
  type Result,
  TOO_LATE,
  cancelledEnd,
  checkoutNow,
  checkoutTooLate,
  codeOf,
  done,
  endOf,
} from './result.ts';
import { decideFailure } from './retry-policy.ts';
import { type Scan, ScanCancelled } from './scan.ts';
import { type Step, openStep } from './step.ts';
import type { Locks } from './with-patron-lock.ts';

/** The checkout to make: to this record and no other, as the branch of the scan. */
interface CheckoutOrder {
  readonly lending: string;
  readonly patronId: number;
  readonly barcode: string;
  readonly branch: string;
  /** Koha's keys that may be confirmed without a person. */
  readonly confirm: readonly string[];
  /** Milliseconds until a checkout must not be sent any more; negative when it is too late. */
  readonly sendingLeftMs: () => number;
  /** Notes in the job that it is about to be sent. Throws LockLost or ScanCancelled. */
  readonly noteSending: () => Promise<void>;
  /** Called when Koha has said that what an earlier run has sent was not made. */
  readonly foundNone: () => void;
}

/** A checkout is sent within this time of its note, or noted again: it may wait for a place for so long. */
const SENT_WITHIN_MS = SLOT_WAIT_WHEN_FREE_MS;
/**
 * Where a worker dies with a checkout in hand, the next one looks for it so long after the note at the latest, whatever Koha's time-out:
 * a person waits, and a second checkout would meet the first one (RENEW_ISSUE), which nobody confirms.
 */
const LONGEST_WAIT_FOR_LOOK_MS = 10_000;

const ALREADY: CheckoutOutcome = { result: 'ALREADY_CHECKED_OUT', keys: [] };

/**
 * Checks the waiting item out to the copy, the last step; success is not reported before that is known. At most once and
 * never late: Koha's checkout is not idempotent (a second try would meet its own checkout, a fresh token would renew it), so
 * every lost answer is followed by a look for the checkout. Where the lending Koha must be tried again the copy is
 * remembered, so that nobody needs the home library for the checkout.
 */
export async function checkOutItem(
  scan: Scan,
  made: MadeCopy,
  locks: Locks,
  context: ProvisionContext,
): Promise<Result> {
  if (!scan.checkoutRequested) return done(endOf(made, NOT_ASKED));
  const text = (result: Result): string =>
    (result.kind === 'done' ? result.checkout?.result : undefined) ?? codeOf(result);
  return scan.history.note({ library: scan.lending, step: 'checkout', text }, () =>
    checkOutRequested(scan, made, locks, context),
  );
}

async function checkOutRequested(
  scan: Scan,
  made: MadeCopy,
  locks: Locks,
  context: ProvisionContext,
): Promise<Result> {
  const { consortium, inStep, audit, now } = context;
  const lending = libraryById(consortium, scan.lending);
  const isWanted = lending.retry.checkout && lending.copy.mode === 'copy';
  const { item } = scan;
  // An earlier run may have checked the item out already: look before anything is sent.
  const lookFirst = scan.made !== null || (made.outcome === 'ALREADY_LOCAL' && scan.mayHaveWritten);
  // What an earlier run has sent under another configuration may have checked the item out: that is looked for in any case.
  const mayBeCheckedOut = lookFirst && item !== null;
  if (!isWanted && !mayBeCheckedOut) return done(endOf(made, checkoutNow(made, NOT_ASKED)));
  if (item === null) return done(checkoutTooLate(made));
  const latestMs = latestSendingMs(scan.wantedMs, lending);
  const { timeoutMs } = lending.koha;
  let known = made;
  const order: CheckoutOrder = {
    lending: scan.lending,
    patronId: made.patron_id,
    barcode: item,
    branch: scan.branch,
    confirm: lending.retry.confirm,
    sendingLeftMs: () => latestMs - now(),
    noteSending: () =>
      locks.lock.noteMade({ ...made, look_from_ms: now() + Math.min(timeoutMs, LONGEST_WAIT_FOR_LOOK_MS) }),
    foundNone: () => {
      known = { ...made, look_from_ms: undefined };
    },
  };
  try {
    const step = openStep(locks, context);
    const checkout = await inStep('checkout', () =>
      isWanted ? checkOut(order, lookFirst, step) : lookOnly(order, step),
    );
    if (checkout === 'anonymized') {
      return done({ ...endOf(made, NOT_ASKED), outcome: 'COPY_ANONYMIZED', reasons: [] });
    }
    audit.checkedOut(scan, made.patron_id, checkout);
    return done(endOf(made, checkout));
  } catch (error) {
    if (error instanceof ScanCancelled) return done(cancelledEnd(endOf(made, NOT_ASKED)));
    const failed = failedCheckout(known, { timeoutMs, now }, error);
    if (failed.kind !== 'done' || failed.problem === undefined) return failed;
    const { library } = failed.problem;
    const confirmed = await confirmName(library, failed.problem, [], openStep(locks, context));
    return { ...failed, problem: { library, ...confirmed } };
  }
}

async function checkOut(
  order: CheckoutOrder,
  lookFirst: boolean,
  step: Step,
): Promise<CheckoutOutcome | 'anonymized'> {
  if (lookFirst) {
    const found = await findCheckout(order, step);
    if (found !== null) return found;
    order.foundNone();
    // It may be a while since an earlier run knew the record: by now it may be nobody's.
    if (await isAnonymized(order, step)) return 'anonymized';
  }
  return trySending(order, step);
}

/** What an earlier run has sent may have done; nothing more is sent. */
const lookOnly = async (order: CheckoutOrder, step: Step): Promise<CheckoutOutcome> =>
  (await findCheckout(order, step)) ?? NOT_ASKED;

/** Koha's own token that what stands in the way is confirmed; for exactly this patron and item. */
interface Confirmed {
  readonly itemId: number;
  readonly token: string;
}

async function trySending(order: CheckoutOrder, step: Step, confirmed?: Confirmed): Promise<CheckoutOutcome> {
  const leftMs = order.sendingLeftMs();
  if (leftMs <= 0) return TOO_LATE;
  const sendBefore = step.monotonicNow() + Math.min(leftMs, SENT_WITHIN_MS);
  await order.noteSending();
  step.assertHeld();
  const answer = await send(order, step, sendBefore, confirmed);
  switch (answer.kind) {
    case 'too_late':
      return trySending(order, step, confirmed);
    case 'looked':
      return answer.result;
    case 'checked_out':
      return { result: 'CHECKED_OUT', keys: [] };
    case 'item_not_found':
      return { result: 'ITEM_NOT_FOUND', keys: [] };
    case 'patron_not_found':
      return { result: 'BLOCKED', keys: ['PATRON_NOT_FOUND'] };
    case 'blocked':
      return blocked(order, step, answer.keys);
    case 'needs_confirmation':
      return confirm(order, step, confirmed !== undefined);
    default:
      return answer satisfies never;
  }
}

type Sent =
  | CheckoutResult
  /** It was not sent before the time. */
  | { readonly kind: 'too_late' }
  | { readonly kind: 'looked'; readonly result: CheckoutOutcome };

/** Sends the checkout; where its answer is lost, looks whether it was made. */
async function send(
  order: CheckoutOrder,
  step: Step,
  sendBefore: number,
  confirmed?: Confirmed,
): Promise<Sent> {
  const { lending, patronId, barcode, branch } = order;
  const wish = {
    patronId,
    barcode,
    ...(confirmed === undefined ? {} : { itemId: confirmed.itemId, confirmation: confirmed.token }),
  };
  const limits = { signal: step.signal, sendBefore };
  try {
    return await step.call(lending, (koha) => koha.checkOut(wish, { branch }, limits));
  } catch (error) {
    if (error instanceof KohaError && error.code === 'too_late') return { kind: 'too_late' };
    if (!(error instanceof KohaError) || error.effect === 'none' || step.signal.aborted) throw error;
    const found = await findCheckout(order, step).catch((failure: unknown) => {
      // A look that fails says nothing: what counts is still the checkout whose answer was lost.
      throw isKohaFailure(failure) && failure.code !== 'aborted' ? error : failure;
    });
    if (found === ALREADY) return { kind: 'looked', result: { result: 'CHECKED_OUT', keys: [] } };
    if (found !== null) return { kind: 'looked', result: found };
    throw error; // Koha may still be at it: whoever looks next, later, knows
  }
}

/** Koha's keys for "this patron has it already, and may not renew it". */
const OWN_CHECKOUT_BLOCKERS = ['NO_MORE_RENEWALS', 'NO_RENEWAL_FOR_ONSITE_CHECKOUTS'];

async function blocked(order: CheckoutOrder, step: Step, keys: readonly string[]): Promise<CheckoutOutcome> {
  const isOwn = keys.some((key) => OWN_CHECKOUT_BLOCKERS.includes(key));
  const found = isOwn ? await findCheckout(order, step) : null;
  return found ?? { result: 'BLOCKED', keys: [...keys] };
}

/**
 * Koha wants something confirmed and does not say what: look it up, and confirm only if every single key may be. When that
 * was not enough, somebody else changed something between our look and our checkout, so a person decides.
 */
async function confirm(order: CheckoutOrder, step: Step, wasConfirmed: boolean): Promise<CheckoutOutcome> {
  const looked = await lookUpKeys(order, step);
  if (looked.kind === 'answered') return looked.result;
  const { itemId, confirms, token } = looked;
  const mayConfirm = !wasConfirmed && confirms.every((key) => order.confirm.includes(key));
  if (!mayConfirm || token === null) return { result: 'NEEDS_CONFIRMATION', keys: confirms };
  return trySending(order, step, { itemId, token });
}

function failedCheckout(
  known: MadeCopy,
  { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => number },
  error: unknown,
): Result {
  const failure = decideFailure(error);
  // A checkout whose answer was lost may still be on its way: the next look comes when Koha has surely let go of it.
  const mustLook = error instanceof KohaError && error.effect === 'unknown';
  const made = mustLook ? { ...known, look_from_ms: now() + timeoutMs } : known;
  if (failure.kind === 'misconfigured' && failure.problem.what === 'record') {
    // Of the item, or of a checkout: the copy is there all the same.
    return done(endOf(made, checkoutNow(made, { result: 'BLOCKED', keys: ['RECORD_UNREADABLE'] })));
  }
  if (failure.kind === 'misconfigured') {
    const end = endOf(made, checkoutNow(made, NOT_ASKED));
    return done({ ...end, outcome: 'MISCONFIGURED', problem: failure.problem });
  }
  if (failure.kind !== 'wait') throw error;
  const { library, reason } = failure;
  const retryAfterMs = mustLook ? Math.max(timeoutMs, failure.retryAfterMs ?? 0) : failure.retryAfterMs;
  return { kind: 'retry', library, reason, retryAfterMs, made, mustLook, otherwise: checkoutTooLate(made) };
}

/**
 * When a checkout may be sent at the latest, in milliseconds of the queue's clock: so that Koha's whole timeout fits in
 * before the end, or half of a window that is shorter than that.
 */
function latestSendingMs(wantedMs: number, { retry, koha }: Library): number {
  const { checkoutWithinMs } = retry;
  return wantedMs + checkoutWithinMs - Math.min(koha.timeoutMs, checkoutWithinMs / 2);
}

type LookedUp =
  | { readonly kind: 'answered'; readonly result: CheckoutOutcome }
  | {
      readonly kind: 'confirms';
      readonly itemId: number;
      readonly confirms: string[];
      readonly token: string | null;
    };

/** What Koha wants confirmed before it checks the item out, unless that says already how it stands. */
async function lookUpKeys(order: CheckoutOrder, step: Step): Promise<LookedUp> {
  const { lending, patronId, barcode, branch } = order;
  const answered = (result: CheckoutOutcome): LookedUp => ({ kind: 'answered', result });
  const item = await step.read(lending, (koha, limits) => koha.findItem(barcode, limits));
  if (item === null) return answered({ result: 'ITEM_NOT_FOUND', keys: [] });
  const { itemId } = item;
  const { blockers, confirms, token } = await step.read(lending, (koha, limits) =>
    koha.availability(patronId, itemId, { branch }, limits),
  );
  if (blockers.length > 0) return answered({ result: 'BLOCKED', keys: blockers });
  if (confirms.includes('RENEW_ISSUE')) return answered(ALREADY);
  return { kind: 'confirms', itemId, confirms, token };
}

/** Whether the patron has the item by now; null when not. An unknown item is an answer of its own. */
async function findCheckout(order: CheckoutOrder, step: Step): Promise<CheckoutOutcome | null> {
  const { lending, patronId, barcode } = order;
  const item = await step.read(lending, (koha, limits) => koha.findItem(barcode, limits));
  if (item === null) return { result: 'ITEM_NOT_FOUND', keys: [] };
  const checkout = await step.read(lending, (koha, limits) =>
    koha.findCheckout(patronId, item.itemId, limits),
  );
  return checkout === null ? null : ALREADY;
}

/** Whether Koha has anonymised the record since an earlier run knew it. */
async function isAnonymized({ lending, patronId }: CheckoutOrder, step: Step): Promise<boolean> {
  const patron = await step.read(lending, (koha, limits) => koha.readPatron(patronId, limits));
  return patron?.anonymized === true;
}
