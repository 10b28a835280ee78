import type { Consortium, Library } from '@passport/config';
import {
  type Candidate,
  type Located,
  type PatronCopy,
  buildPatronCopy,
  copyCategoriesOf,
  decideCandidates,
  libraryById,
  locate,
  passportTypes,
} from '@passport/patron-rules';
import { SLOT_WAIT_WHEN_FREE_MS } from '../koha/connect-libraries.ts';
import type { buildHomeQuery } from './query-home.ts';
import type { Audit } from './audit.ts';
import { type CheckoutStepDeps, checkOutItem } from './checkout-step.ts';
import { type CopyDeps, copyPatron } from './copy.ts';
import type { CreateAccess } from './create-place.ts';
import type { CopyOrder } from './copy-result.ts';
import { type Found, decideEligible, failedAtLending, notFound, othersFirst } from './ends.ts';
import type { buildPatronLock } from './patron-lock.ts';
import type { Quota } from './quota.ts';
import { type Result, type Retry, done } from './result.ts';
import type { Scan, ScanLock } from './scan.ts';

export interface ProvisionDeps extends CheckoutStepDeps, Pick<CopyDeps, 'random'> {
  readonly createAccess: CreateAccess;
  readonly consortium: Consortium;
  readonly queryHome: ReturnType<typeof buildHomeQuery>;
  readonly quota: Quota;
  readonly withPatronLock: ReturnType<typeof buildPatronLock>;
  readonly audit: Audit;
  /** A copy was made, so long after its scan. */
  readonly copied: (lending: string, sinceScanMs: number) => void;
}

/**
 * The workflow of a scan: locate, decide, copy, check out. Throws KohaError or LibraryClosed where a library must be tried
 * again and there is nothing better to say about it.
 */
export async function provision(scan: Scan, lock: ScanLock, deps: ProvisionDeps): Promise<Result> {
  const { consortium, audit, libraries, withPatronLock, now } = deps;
  const lending = libraryById(consortium, scan.lending);
  const { made } = scan;
  if (made !== null) {
    // An earlier run made the copy and could not check out yet: nobody needs the home library any more.
    const result = await withPatronLock(scan, made.home_key, lock, (writeLock) =>
      checkOutItem(scan, writeLock, { made, lookFirst: true }, lending, deps),
    );
    return result ?? othersFirst(scan, made.home, null);
  }

  const candidates = decideCandidates(consortium, scan.lending, scan.card);
  if (candidates.length === 0) return done({ outcome: 'NOT_A_CARD' });
  const freeInMs = scan.sent === null ? deps.createAccess.freeInMs(scan.lending) : null;
  if (freeInMs !== null) return othersFirst(scan, null, freeInMs);
  // Whatever becomes of the scan, the lending library hears of it.
  libraries.prepare(scan.lending);
  const located = await lookUpWithinQuota(scan, lock.signal, candidates, deps);
  if (located.kind === 'retry') return located;
  if (located.kind !== 'found') return notFound(scan, located, audit);

  const refused = decideEligible(scan, located, lending, audit);
  if (refused !== null) return done(refused);

  const home = located.candidate.home.id;
  try {
    const { patronProperties } = await libraries.capabilities(scan.lending);
    const copy = composeCopy(scan, located, lending, patronProperties);
    if (copy.kind === 'misconfigured') {
      const problem = { library: scan.lending, ...copy.problem };
      return done({ outcome: 'MISCONFIGURED', problem, homes: [home] });
    }
    const order = copyOrder(scan, located, copy, lending, consortium);
    const result = await withPatronLock(scan, copy.homeKey, lock, async (writeLock) => {
      const copied = await copyPatron(order, copyDeps(scan, copy, home, { ...lock, ...writeLock }, deps));
      if (copied.kind === 'busy') return othersFirst(scan, home, copied.freeInMs);
      audit.copied(scan, copy, copied);
      if ('end' in copied) return done(copied.end);
      if (copied.kind === 'copied') deps.copied(scan.lending, now() - scan.scannedMs);
      const lookFirst = copied.kind === 'ours' && scan.mayHaveWritten;
      return checkOutItem(scan, writeLock, { made: copied.made, lookFirst }, lending, deps);
    });
    return result ?? othersFirst(scan, home, null);
  } catch (error) {
    return failedAtLending(home, error);
  }
}

/** Looks the card up where the hour of the lending library has quota left for it. */
async function lookUpWithinQuota(
  scan: Scan,
  signal: AbortSignal,
  candidates: readonly Candidate[],
  deps: Pick<ProvisionDeps, 'quota' | 'consortium' | 'queryHome' | 'inStep' | 'audit'>,
): Promise<Located | Retry> {
  const { quota } = deps;
  const look = (): Promise<Located> => lookUp(scan, signal, candidates, deps);
  const early = quota.isAmple(scan.lending) ? look() : null;
  early?.catch(() => undefined); // without quota, or Redis, nobody needs its answer
  return (await quota.reserve(scan)) ?? early ?? look();
}

/** Looks the card up at the candidates. */
async function lookUp(
  scan: Scan,
  signal: AbortSignal,
  candidates: readonly Candidate[],
  {
    consortium,
    queryHome,
    inStep,
    audit,
  }: Pick<ProvisionDeps, 'consortium' | 'queryHome' | 'inStep' | 'audit'>,
): Promise<Located> {
  const balance = libraryById(consortium, scan.lending).eligibility.maxDebt !== null;
  const queried = new Set<string>();
  const located = await inStep('locate', () =>
    locate({
      candidates,
      card: scan.card,
      passportTypes: passportTypes(consortium),
      ...consortium.locate,
      waitMs: SLOT_WAIT_WHEN_FREE_MS,
      signal,
      query(library, card, deadline) {
        queried.add(library);
        return queryHome(library, card, { balance, deadline, stop: signal });
      },
    }),
  );
  audit.lookedUp(scan, [...queried], located);
  return located;
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

const copyDeps = (
  scan: Scan,
  copy: Copy,
  home: string,
  writeLock: ScanLock,
  deps: ProvisionDeps,
): CopyDeps => ({
  libraries: deps.libraries,
  pause: deps.pause,
  monotonicNow: deps.monotonicNow,
  random: deps.random,
  createAccess: deps.createAccess,
  inStep: deps.inStep,
  scan,
  signal: writeLock.signal,
  assertHeld: () => writeLock.assertHeld(),
  async noteSent() {
    await writeLock.noteSent({ home, home_key: copy.homeKey, fields: [...copy.fields] });
    deps.audit.sending(scan, copy);
  },
  nothingLeft: () => writeLock.nothingLeft(),
});
