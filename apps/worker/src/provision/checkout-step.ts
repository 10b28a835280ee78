import type { Consortium, Library } from '@passport/config';
import type { JobData } from '@passport/contract';
import { libraryById } from '@passport/patron-rules';
import { decideFailure } from '../job/retry-policy.ts';
import type { Audit } from './audit.ts';
import type { StepDeps } from './copy.ts';
import { KohaError } from '@passport/koha-client';
import { type Ending, type RunEnd, ended } from './ending.ts';
import type { HeldLock } from '../job/job-lock.ts';
import { type LoanResult, type NobodyThere, retryCheckout } from './check-out.ts';
import type { Scan } from './scan.ts';

/** A copy that is there, so that only the loan is left. */
export type Made = NonNullable<JobData['made']>;

export interface LoanDeps extends Pick<StepDeps, 'libraries' | 'pause'> {
  readonly consortium: Consortium;
  readonly audit: Audit;
  readonly now: () => number;
  readonly monotonicNow: () => number;
  /** Does one step of the story, measured and traced. */
  readonly inStep: <T>(name: 'locate' | 'copy' | 'checkout', work: () => Promise<T>) => Promise<T>;
}

const NOT_ASKED: LoanResult = { result: 'NOT_ASKED', keys: [] };

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
    const loan = await lend(scan, lock, made.patron_id, lookFirst, deps);
    if (loan !== 'anonymized') return ended(endingOf(made, loan));
    return ended({ ...endingOf(made, NOT_ASKED), outcome: 'COPY_ANONYMIZED', reasons: [] });
  } catch (error) {
    const decision = decideFailure(error);
    if (decision.kind === 'misconfigured') {
      return ended({ ...endingOf(made, NOT_ASKED), outcome: 'MISCONFIGURED', problem: decision.problem });
    }
    if (decision.kind !== 'wait') throw error;
    const { library, reason } = decision;
    // A loan whose answer was lost may still be on its way: the next look comes when Koha has surely let go of it.
    const mayStillBeMade = error instanceof KohaError && error.effect === 'unknown';
    const { timeoutMs } = libraryById(deps.consortium, scan.lending).koha;
    const retryAfterMs = mayStillBeMade
      ? Math.max(timeoutMs, decision.retryAfterMs ?? 0)
      : decision.retryAfterMs;
    const otherwise = endingOf(made, { result: 'TOO_LATE', keys: [] });
    return { kind: 'waiting', library, reason, retryAfterMs, made, mustLook: mayStillBeMade, otherwise };
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
): Promise<LoanResult | NobodyThere> {
  const lending = libraryById(deps.consortium, scan.lending);
  const { retry } = lending;
  if (!scan.itemAsked || !retry.checkout) return NOT_ASKED;
  const { item } = scan;
  if (item === null) return { result: 'TOO_LATE', keys: [] };
  const latestMs = latestSendingMs(scan, lending);
  const loan = await deps.inStep('checkout', () =>
    retryCheckout(
      {
        lending: scan.lending,
        patronId,
        barcode: item,
        branch: scan.branch,
        confirm: retry.confirm,
        lookFirst,
        sendingLeftMs: () => latestMs - deps.now(),
        monotonicNow: deps.monotonicNow,
      },
      { ...deps, signal: lock.signal, assertHeld: () => lock.assertHeld() },
    ),
  );
  if (loan !== 'anonymized') deps.audit.lent(scan, patronId, loan);
  return loan;
}

/**
 * When a loan may be sent at the latest, in milliseconds of the queue's clock: so that Koha's whole timeout fits in before
 * the end, or half of a window that is shorter than that.
 */
function latestSendingMs({ scannedMs }: Scan, { retry, koha }: Library): number {
  const { checkoutWithinMs } = retry;
  return scannedMs + checkoutWithinMs - Math.min(koha.timeoutMs, checkoutWithinMs / 2);
}
