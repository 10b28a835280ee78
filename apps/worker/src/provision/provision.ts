import { type CheckoutDeps, type CopyThere, checkOutItem } from './check-out-item.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import { type FindDeps, findPatron } from './find-patron.ts';
import type { WithPatronLock } from './with-patron-lock.ts';
import { type MadeCopy, type Result, othersFirst } from './result.ts';
import type { Scan, ScanLock } from './scan.ts';

export type ProvisionDeps = FindDeps & CopyDeps & CheckoutDeps & { readonly withPatronLock: WithPatronLock };

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
  const patron = scan.made === null ? await findPatron(scan, lock, deps) : copyOfBefore(scan.made);
  if (patron.kind === 'done' || patron.kind === 'retry') return patron;
  const result = await deps.withPatronLock(scan, patron.homeKey, lock, async (patronLock) => {
    const locks = { lock, patronLock };
    if (patron.kind === 'there') await patronLock.take();
    const copied = patron.kind === 'found' ? await copyPatron(scan, patron, locks, deps) : patron;
    return copied.kind === 'there' ? checkOutItem(scan, copied, locks, deps) : copied;
  });
  return result ?? othersFirst(scan, [patron.home], null);
}

/** By now, its item may be checked out to it. */
const copyOfBefore = (
  made: MadeCopy,
): { readonly kind: 'there'; readonly home: string; readonly homeKey: string } & CopyThere => ({
  kind: 'there',
  home: made.home,
  homeKey: made.home_key,
  made,
  lookFirst: true,
});
