import type { Consortium, Library } from '@passport/config';
import type { JobData } from '@passport/contract';
import { libraryById } from '@passport/verdict';
import { decideFailure } from './attempt-policy.ts';
import type { Audit } from './audit.ts';
import type { CopyDeps } from './copy.ts';
import { type Ending, type RunEnd, ended } from './ending.ts';
import type { HeldLock } from './lock-watch.ts';
import { type LoanResult, retryCheckout } from './retry-checkout.ts';
import type { Scan } from './scan.ts';

/** A copy that is there, so that only the loan is left. */
export type Made = NonNullable<JobData['made']>;

export interface LoanDeps extends Pick<CopyDeps, 'libraries' | 'pause'> {
  readonly consortium: Consortium;
  readonly audit: Audit;
  readonly now: () => number;
  /** Does one step of the story, measured and traced. */
  readonly inStep: <T>(name: 'locate' | 'copy' | 'checkout', work: () => Promise<T>) => Promise<T>;
}

/** Goes on where an earlier run could not lend yet. */
export function finishLoan(scan: Scan, lock: HeldLock, made: Made, deps: LoanDeps): Promise<RunEnd> {
  return withLoan(scan, lock, made, true, deps);
}

/**
 * Lends the waiting item to the copy and ends the story; success is not told before that is known. Where the lending
 * Koha must be tried again the copy is remembered, so that nobody needs the home library for the loan.
 */
export async function withLoan(
  scan: Scan,
  lock: HeldLock,
  made: Made,
  lookFirst: boolean,
  deps: LoanDeps,
): Promise<RunEnd> {
  try {
    return ended(endingOf(made, await lend(scan, lock, made.patron_id, lookFirst, deps)));
  } catch (error) {
    const decision = decideFailure(error);
    if (decision.kind !== 'wait') throw error;
    const { library, reason, retryAfterMs } = decision;
    const otherwise = endingOf(made, { result: 'TOO_LATE', keys: [] });
    return { kind: 'waiting', library, reason, retryAfterMs, made, otherwise };
  }
}

/** The end of a story whose copy is there. */
export function endingOf(made: Made, checkout: LoanResult): Ending {
  const { outcome, reasons, home, home_key: homeKey, patron_id: patronId, disclosed: fields } = made;
  const disclosed = fields === null ? {} : { disclosed: { home, homeKey, fields } };
  return { outcome, reasons, homes: [home], patronId, checkout, ...disclosed };
}

async function lend(
  scan: Scan,
  lock: HeldLock,
  patronId: number,
  lookFirst: boolean,
  deps: LoanDeps,
): Promise<LoanResult> {
  const lending = libraryById(deps.consortium, scan.lending);
  const { retry } = lending;
  if (!scan.itemAsked || !retry.checkout) return { result: 'NOT_ASKED', keys: [] };
  const { item } = scan;
  if (item === null) return { result: 'TOO_LATE', keys: [] };
  const times = timesOf(scan, lending);
  const loan = await deps.inStep('checkout', () =>
    retryCheckout(
      {
        lending: scan.lending,
        patronId,
        barcode: item,
        branch: scan.branch,
        confirm: retry.confirm,
        lookFirst,
        sendingLeftMs: () => times.lastSendingMs - deps.now(),
        answerLeftMs: () => times.endMs - deps.now(),
      },
      { ...deps, signal: lock.signal, assertHeld: () => lock.assertHeld() },
    ),
  );
  deps.audit.lent(scan, patronId, loan);
  return loan;
}

/** The share of `checkout_within` that is kept for Koha's own work, where its timeout would not leave any time at all. */
const MARGIN_SHARE = 0.1;

/** When a loan may be sent at the latest, so that it is made before the end. Milliseconds of the queue's clock. */
function timesOf({ scannedMs }: Scan, { retry, koha }: Library): { lastSendingMs: number; endMs: number } {
  const endMs = scannedMs + retry.checkoutWithinMs;
  return { endMs, lastSendingMs: endMs - Math.min(koha.timeoutMs, retry.checkoutWithinMs * MARGIN_SHARE) };
}
