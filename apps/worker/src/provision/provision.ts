import type { Consortium, Library } from '@passport/config';
import {
  type PatronCopy,
  buildPatronCopy,
  copyCategoriesOf,
  decideCandidates,
  libraryById,
  passportTypes,
  writtenValues,
} from '@passport/patron-rules';
import type { Libraries } from '../koha/libraries.ts';
import type { Audit } from './audit.ts';
import { type CheckoutDeps, checkOutItem } from './check-out.ts';
import type { CopyOrder, CopyResult } from './copy-result.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import type { CreateAccess } from './create-place.ts';
import { type FindDeps, type Found, findPatron } from './find-patron.ts';
import type { PatronLock, WithPatronLock } from './patron-lock.ts';
import { type End, type Result, type Retry, checkoutTooLate, done } from './result.ts';
import { decideFailure } from './retry-policy.ts';
import type { Scan, ScanLock } from './scan.ts';
import { type StepDeps, openStep } from './step.ts';
import type { WrittenCopy } from '../remember/copy-memory.ts';

export interface ProvisionDeps extends FindDeps, CheckoutDeps, StepDeps, Pick<CopyDeps, 'random'> {
  readonly libraries: Pick<Libraries, 'call' | 'capabilities' | 'prepare'>;
  readonly createAccess: CreateAccess;
  readonly withPatronLock: WithPatronLock;
  readonly audit: Audit;
  /** A copy was made, so long after its scan. */
  readonly copied: (lending: string, sinceScanMs: number) => void;
  /** Remembers what was written into a copy; nothing waits for it. */
  readonly remember: (written: WrittenCopy) => void;
}

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  const { consortium, libraries, createAccess, withPatronLock } = deps;
  const lending = libraryById(consortium, scan.lending);
  const { made } = scan;
  if (made !== null) {
    // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
    const result = await withPatronLock(scan, made.home_key, lock, async (patronLock) => {
      await patronLock.take();
      return checkOutItem(scan, { made, lookFirst: true }, lending, openStep(patronLock, deps), deps);
    });
    return result ?? othersFirst(scan, made.home, null);
  }

  const candidates = decideCandidates(consortium, scan.lending, scan.card);
  if (candidates.length === 0) return done({ outcome: 'NOT_A_CARD' });
  const freeInMs = scan.sent === null ? createAccess.freeInMs(scan.lending) : null;
  if (freeInMs !== null) return othersFirst(scan, null, freeInMs);
  // Whatever becomes of the scan, the lending library hears of it.
  libraries.prepare(scan.lending);
  const found = await findPatron(scan, candidates, lock.signal, deps);
  if (found.kind !== 'found') return found;

  const home = found.candidate.home.id;
  try {
    const { patronProperties } = await libraries.capabilities(scan.lending);
    const copy = composeCopy(scan, found, lending, patronProperties);
    if (copy.kind === 'misconfigured') {
      const problem = { library: scan.lending, ...copy.problem };
      return done({ outcome: 'MISCONFIGURED', problem, homes: [home] });
    }
    const order = copyOrder(scan, found, copy, lending, consortium);
    const result = await withPatronLock(scan, copy.homeKey, lock, async (patronLock) => {
      const step = openStep(patronLock, deps);
      const copyDeps = {
        ...notesOfCopy(scan, copy, home, { lock, patronLock }, deps),
        scan,
        patronLock,
        createAccess,
        random: deps.random,
      };
      const copied = await deps.inStep('copy', () => copyPatron(order, step, copyDeps));
      if (copied.kind === 'busy') return othersFirst(scan, home, copied.freeInMs);
      deps.audit.copied(scan, copy, copied);
      if ('end' in copied) return done({ homes: [home], ...copied.end });
      rememberWritten(scan, copy, copied, deps);
      if (copied.kind === 'copied') deps.copied(scan.lending, deps.now() - scan.scannedMs);
      const lookFirst = copied.kind === 'ours' && scan.mayHaveWritten;
      return checkOutItem(scan, { made: copied.made, lookFirst }, lending, step, deps);
    });
    return result ?? othersFirst(scan, home, null);
  } catch (error) {
    return failedAtLending(home, error);
  }
}

const composeCopy = (
  scan: Scan,
  { candidate, patron }: Found,
  lending: Library,
  patronProperties: ReadonlySet<string>,
): PatronCopy =>
  buildPatronCopy({
    patron,
    ...candidate,
    lending,
    branch: scan.branch,
    scannedOn: scan.day,
    accepts: (property) => patronProperties.has(property),
  });

type Copy = Extract<PatronCopy, { kind: 'copy' }>;

/** A copy that this event made holds what was sent; in one that was there, the card or the home key can be new. */
function rememberWritten(
  { lending, eventId }: Scan,
  { body, fields, homeKey }: Copy,
  copied: Exclude<CopyResult, { kind: 'busy' }>,
  { remember }: Pick<ProvisionDeps, 'remember'>,
): void {
  if (!('made' in copied)) return;
  const { patron_id: patronId, disclosed, reasons } = copied.made;
  const written = { lending, eventId, patronId, homeKey };
  const all = writtenValues(body, fields);
  if (copied.kind === 'copied' || disclosed !== null) remember({ ...written, values: all });
  else if (reasons.includes('CARD_CHANGED'))
    remember({ ...written, values: { cardnumber: body.cardnumber } });
  else if (reasons.includes('REKEYED')) remember({ ...written, values: {} });
}

const copyOrder = (
  scan: Scan,
  { candidate, patron }: Found,
  { homeKey, body, fields }: Copy,
  { copy }: Library,
  consortium: Consortium,
): CopyOrder => ({
  lending: scan.lending,
  home: candidate.home.id,
  homeKey,
  branch: scan.branch,
  body,
  fields,
  passportTypes: passportTypes(consortium),
  homeKeyAttribute: copy.homeKeyAttribute,
  copyCategories: copyCategoriesOf(copy),
  homeRecord: patron,
  onLookAlike: copy.onLookAlike,
  lookFirst: scan.sent !== null,
});

/** Writes into the job, and the audit, that the copy leaves. */
const notesOfCopy = (
  scan: Scan,
  copy: Copy,
  home: string,
  { lock, patronLock }: { readonly lock: ScanLock; readonly patronLock: PatronLock },
  { audit }: Pick<ProvisionDeps, 'audit'>,
): Pick<CopyDeps, 'noteSent' | 'nothingLeft'> => ({
  async noteSent(place) {
    const sent = { home, home_key: copy.homeKey, fields: [...copy.fields] };
    const claimed = await patronLock.takeWith((wish) => lock.noteSent(sent, { ...place, patronLock: wish }));
    if (claimed === 'taken') audit.sending(scan, copy);
    return claimed;
  },
  nothingLeft: () => lock.nothingLeft(),
});

/** The result of a failure after the patron was found: it still says where. Throws what is no failure of a library. */
function failedAtLending(home: string, error: unknown): Result {
  const failure = decideFailure(error);
  if (failure.kind === 'misconfigured') {
    return done({ outcome: 'MISCONFIGURED', problem: failure.problem, homes: [home] });
  }
  if (failure.kind !== 'wait') throw error;
  const { library, reason, retryAfterMs } = failure;
  const outcome = library === home ? 'HOME_UNREACHABLE' : 'LENDING_UNREACHABLE';
  return { kind: 'retry', library, reason, retryAfterMs, otherwise: { outcome, homes: [home] } };
}

/** Other jobs write for this patron, or create copies at the lending library, before this one; that is no attempt. */
function othersFirst({ lending, made }: Scan, home: string | null, retryAfterMs: number | null): Retry {
  const homes = home === null ? [] : [home];
  const otherwise: End = made === null ? { outcome: 'LENDING_UNREACHABLE', homes } : checkoutTooLate(made);
  return { kind: 'retry', library: lending, reason: 'BUSY', retryAfterMs, otherwise };
}
