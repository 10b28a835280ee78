import type { Library } from '@passport/config';
import { KohaError } from '@passport/koha-client';
import { decideFailure } from './retry-policy.ts';
import type { Audit } from './audit.ts';
import { type CheckoutOutcome, type CheckoutOrder, checkOut } from './check-out.ts';
import type { InStep, StepDeps } from './step.ts';
import { type MadeCopy, type Result, checkoutTooLate, done, endOf } from './result.ts';
import type { JobLock, Scan } from './scan.ts';

export interface CheckoutStepDeps extends Pick<StepDeps, 'libraries' | 'pause' | 'monotonicNow'> {
  readonly audit: Pick<Audit, 'checkedOut'>;
  readonly inStep: InStep;
  readonly now: () => number;
}

const NOT_ASKED: CheckoutOutcome = { result: 'NOT_ASKED', keys: [] };

/**
 * Checks the waiting item out to the copy, the last step; success is not reported before that is known. Where the lending
 * Koha must be tried again the copy is remembered, so that nobody needs the home library for the checkout. With
 * `lookFirst` an earlier run may have checked the item out already.
 */
export async function checkOutItem(
  scan: Scan,
  lock: JobLock,
  { made, lookFirst }: { readonly made: MadeCopy; readonly lookFirst: boolean },
  lending: Library,
  deps: CheckoutStepDeps,
): Promise<Result> {
  if (!scan.checkoutRequested || !lending.retry.checkout) return done(endOf(made, NOT_ASKED));
  const { item } = scan;
  if (item === null) return done(checkoutTooLate(made));
  const latestMs = latestSendingMs(scan, lending);
  const order: CheckoutOrder = {
    lending: scan.lending,
    patronId: made.patron_id,
    barcode: item,
    branch: scan.branch,
    confirm: lending.retry.confirm,
    lookFirst,
    sendingLeftMs: () => latestMs - deps.now(),
  };
  try {
    const checkout = await deps.inStep('checkout', () =>
      checkOut(order, { ...deps, signal: lock.signal, assertHeld: () => lock.assertHeld() }),
    );
    if (checkout === 'anonymized') {
      return done({ ...endOf(made, NOT_ASKED), outcome: 'COPY_ANONYMIZED', reasons: [] });
    }
    deps.audit.checkedOut(scan, made.patron_id, checkout);
    return done(endOf(made, checkout));
  } catch (error) {
    return failedCheckout(made, lending, error);
  }
}

function failedCheckout(made: MadeCopy, { koha: { timeoutMs } }: Library, error: unknown): Result {
  const failure = decideFailure(error);
  if (failure.kind === 'misconfigured') {
    return done({ ...endOf(made, NOT_ASKED), outcome: 'MISCONFIGURED', problem: failure.problem });
  }
  if (failure.kind !== 'wait') throw error;
  const { library, reason } = failure;
  // A checkout whose answer was lost may still be on its way: the next look comes when Koha has surely let go of it.
  const mustLook = error instanceof KohaError && error.effect === 'unknown';
  const retryAfterMs = mustLook ? Math.max(timeoutMs, failure.retryAfterMs ?? 0) : failure.retryAfterMs;
  return { kind: 'retry', library, reason, retryAfterMs, made, mustLook, otherwise: checkoutTooLate(made) };
}

/**
 * When a checkout may be sent at the latest, in milliseconds of the queue's clock: so that Koha's whole timeout fits in
 * before the end, or half of a window that is shorter than that.
 */
function latestSendingMs({ scannedMs }: Scan, { retry, koha }: Library): number {
  const { checkoutWithinMs } = retry;
  return scannedMs + checkoutWithinMs - Math.min(koha.timeoutMs, checkoutWithinMs / 2);
}
