import { homeKeyOf } from '@passport/patron-rules';
import { type CheckoutDeps, checkOutItem, resumeCheckout } from './check-out.ts';
import { type ConsentDeps, requestConsent } from './consent.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import { type FindDeps, findPatron } from './find-patron.ts';
import { type Result, othersFirst } from './result.ts';
import type { Scan, ScanLock } from './scan.ts';

export type ProvisionDeps = FindDeps & ConsentDeps & CopyDeps & CheckoutDeps;

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
  if (scan.made !== null) return resumeCheckout(scan, scan.made, lock, deps);
  const found = await findPatron(scan, lock.signal, deps);
  if (found.kind !== 'found') return found;
  const consent = await requestConsent(scan, found, deps);
  if (consent.kind !== 'may_copy') return consent;
  const allowed = consent.scan;
  if (allowed.consent !== undefined) lock.noteConsent(allowed.consent);
  const home = found.candidate.home.id;
  const homeKey = homeKeyOf(home, found.patron.patronId);
  const result = await deps.withPatronLock(allowed, homeKey, lock, async (patronLock) => {
    const copied = await copyPatron(allowed, found, { lock, patronLock }, deps);
    return copied.kind === 'there' ? checkOutItem(allowed, copied, { lock, patronLock }, deps) : copied;
  });
  return result ?? othersFirst(allowed, [home], null);
}
