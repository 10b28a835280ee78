import { homeKeyOf } from '@passport/patron-rules';
import { type CheckoutDeps, checkOutItem, resumeCheckout } from './check-out.ts';
import { type ConsentDeps, requestConsent, resumeConsent } from './consent.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import { type FindDeps, type Found, findPatron } from './find-patron.ts';
import { noteCall } from './note-call.ts';
import { type Result, othersFirst } from './result.ts';
import { type Scan, type ScanLock, withConsent } from './scan.ts';

export type ProvisionDeps = FindDeps & ConsentDeps & CopyDeps & CheckoutDeps;

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  if (scan.made === null) return (await resumeConsent(scan, deps)) ?? copyAndCheckOut(scan, lock, deps);
  // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
  const { made } = scan;
  return noteCall(scan, { ...atLending(scan, deps), step: 'checkout', said: saidOfCheckout }, () =>
    resumeCheckout(scan, made, lock, deps),
  );
}

const atLending = ({ lending }: Scan, { monotonicNow }: ProvisionDeps) => ({
  library: lending,
  monotonicNow,
});

const saidOf = (result: Result): string => (result.kind === 'done' ? result.outcome : result.reason);

const saidOfCheckout = (result: Result): string =>
  result.kind === 'done' ? (result.checkout?.result ?? result.outcome) : result.reason;

async function copyAndCheckOut(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  const found = await findPatron(scan, lock.signal, deps);
  if (found.kind !== 'found') return found;
  const consent = await requestConsent(scan, found, deps);
  if (consent.kind !== 'given')
    return consent.kind === 'not_needed' ? copyFound(scan, found, lock, deps) : consent;
  lock.noteConsent(consent.consent);
  return copyFound(withConsent(scan, consent.consent), found, lock, deps);
}

async function copyFound(scan: Scan, found: Found, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  const { home } = found.candidate;
  const homeKey = homeKeyOf(home.id, found.patron.patronId);
  const result = await deps.withPatronLock(scan, homeKey, lock, async (patronLock) => {
    const at = atLending(scan, deps);
    const copied = await noteCall(
      scan,
      {
        ...at,
        step: 'copy',
        said: (made: Awaited<ReturnType<typeof copyPatron>>) =>
          made.kind === 'there' ? made.made.outcome : saidOf(made),
      },
      () => copyPatron(scan, found, { lock, patronLock }, deps),
    );
    if (copied.kind !== 'there') return copied;
    const checkOut = (): Promise<Result> => checkOutItem(scan, copied, { lock, patronLock }, deps);
    if (!scan.checkoutRequested) return checkOut();
    return noteCall(scan, { ...at, step: 'checkout', said: saidOfCheckout }, checkOut);
  });
  return result ?? othersFirst(scan, [home.id], null);
}
