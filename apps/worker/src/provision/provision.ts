import { homeKeyOf } from '@passport/patron-rules';
import { type CheckoutDeps, checkOutItem, resumeCheckout } from './check-out.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import { type FindDeps, findPatron } from './find-patron.ts';
import { type Result, othersFirst } from './result.ts';
import type { Scan, ScanLock } from './scan.ts';

export type ProvisionDeps = FindDeps & CopyDeps & CheckoutDeps;

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  if (scan.made === null) return copyAndCheckOut(scan, lock, deps);
  // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
  return resumeCheckout(scan, scan.made, lock, deps);
}

async function copyAndCheckOut(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  const found = await findPatron(scan, lock.signal, deps);
  if (found.kind !== 'found') return found;
  const { home } = found.candidate;
  const homeKey = homeKeyOf(home.id, found.patron.patronId);
  const result = await deps.withPatronLock(scan, homeKey, lock, async (patronLock) => {
    const copied = await copyPatron(scan, found, { lock, patronLock }, deps);
    return copied.kind === 'there' ? checkOutItem(scan, copied, { lock, patronLock }, deps) : copied;
  });
  return result ?? othersFirst(scan, [home.id], null);
}
