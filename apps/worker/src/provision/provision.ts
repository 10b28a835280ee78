import { checkOutItem } from './check-out-item.ts';
import { resumeConsent } from './consent.ts';
import type { ProvisionContext } from './context.ts';
import { resumeDecision } from './decision.ts';
import { copyPatron } from './copy.ts';
import { findPatron } from './find-patron.ts';
import { type Result, othersFirst } from './result.ts';
import type { Scan, ScanLock } from './scan.ts';

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(begun: Scan, lock: ScanLock, context: ProvisionContext): Promise<Result> {
  const decided = await resumeDecision(begun, lock, context);
  if (decided.kind !== 'goes_on') return decided;
  const resumed = await resumeConsent(decided.scan, context);
  if (resumed.kind !== 'goes_on') return resumed;
  const { scan } = resumed;
  const { made } = scan;
  // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
  const patron =
    made === null
      ? await findPatron(scan, lock, context)
      : { kind: 'there' as const, home: made.home, homeKey: made.home_key, made };
  if (patron.kind === 'done' || patron.kind === 'retry') return patron;
  const result = await context.withPatronLock(scan, patron.homeKey, lock, async (patronLock) => {
    const locks = { lock, patronLock };
    if (patron.kind === 'there') await patronLock.take();
    const copied = patron.kind === 'found' ? await copyPatron(scan, patron, locks, context) : patron;
    return copied.kind === 'there' ? checkOutItem(scan, copied.made, locks, context) : copied;
  });
  return result ?? othersFirst(scan, [patron.home], null);
}
