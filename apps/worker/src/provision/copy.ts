import type { Consortium } from '@passport/config';
import { buildPatronCopy, libraryById } from '@passport/patron-rules';
import type { Libraries } from '../koha/libraries.ts';
import type { Audit } from './audit.ts';
import type { CopyThere } from './check-out.ts';
import { type CopyOrder, orderCopy } from './copy-order.ts';
import type { CopyOutcome } from './copy-result.ts';
import { type CreateDeps, type NotCreated, createCopy } from './create-copy.ts';
import type { CreateAccess, CreatePlaceBusy } from './create-place.ts';
import type { Found } from './find-patron.ts';
import { type ObserveDeps, explainUnfound, findLocalCopy, observeCopy } from './local-copy.ts';
import type { Locks } from './patron-lock.ts';
import type { RecordCopy } from './record-copy.ts';
import { type Result, codeOf, done, othersFirst } from './result.ts';
import { decideFailure } from './retry-policy.ts';
import type { Scan } from './scan.ts';
import { type InStep, type Step, type StepDeps, openStep } from './step.ts';

export interface CopyDeps extends StepDeps, ObserveDeps {
  readonly consortium: Consortium;
  readonly libraries: Pick<Libraries, 'call' | 'capabilities'>;
  readonly createAccess: Pick<CreateAccess, 'within'>;
  readonly inStep: InStep;
  readonly audit: Pick<Audit, 'sending'>;
  readonly recordCopy: RecordCopy;
}

type EnsureDeps = CreateDeps & ObserveDeps;

type Copied = ({ readonly kind: 'there' } & CopyThere) | Result;

/** Copies the patron who was found to the lending library. A result where the copy is not there to be checked out to. */
export function copyPatron(scan: Scan, found: Found, locks: Locks, deps: CopyDeps): Promise<Copied> {
  const said = (copied: Copied): string => (copied.kind === 'there' ? copied.made.outcome : codeOf(copied));
  return scan.history.note({ library: scan.lending, step: 'copy', said }, () =>
    copyFound(scan, found, locks, deps),
  );
}

async function copyFound(scan: Scan, found: Found, locks: Locks, deps: CopyDeps): Promise<Copied> {
  const { consortium } = deps;
  const lending = libraryById(consortium, scan.lending);
  const { candidate, patron, home } = found;
  const homes = [home];
  try {
    const capabilities = await deps.libraries.capabilities(scan.lending);
    const { branch, day: scannedOn } = scan;
    const accepts = (property: string): boolean => capabilities.patronProperties.has(property);
    const copy = buildPatronCopy({ patron, ...candidate, lending, branch, scannedOn, accepts });
    if (copy.kind === 'misconfigured') {
      const problem = { library: scan.lending, ...copy.problem };
      return done({ outcome: 'MISCONFIGURED', problem, homes });
    }
    const order = orderCopy(scan, found, copy, lending, { consortium, capabilities });
    const step = openStep(locks, deps);
    const copied = await deps.inStep('copy', () =>
      ensureCopy(order, step, ensureDeps(scan, order, locks, deps)),
    );
    if (copied.kind === 'busy') return othersFirst(scan, homes, copied.freeInMs);
    deps.recordCopy(scan, order, copied);
    if ('end' in copied) return done({ homes, ...copied.end });
    const lookFirst = copied.kind === 'ours' && scan.mayHaveWritten;
    return { kind: 'there', made: copied.made, lookFirst };
  } catch (error) {
    return failedCopy(home, error);
  }
}

/**
 * Makes sure that the copy is there, once. Idempotent by looking, not by remembering: whatever Koha answers that can
 * mean "is there already", and every answer that was lost, is followed by a look, by card and then by home key. So is what the claim finds
 * on record, before anything is sent.
 * Where the lending library only observes, nothing is created: a look, and a receipt of it. Throws KohaError or LibraryClosed where the look itself fails.
 */
async function ensureCopy(
  order: CopyOrder,
  step: Step,
  deps: EnsureDeps,
): Promise<CopyOutcome | CreatePlaceBusy> {
  const observes = order.mode === 'observe';
  const looksFirst = order.lookFirst !== null && !observes;
  if (looksFirst) await deps.patronLock.take();
  let unsure = order.lookFirst === 'sent' && !observes;
  let last: NotCreated | null = null;
  for (let tries = 0; ; tries += 1) {
    const looks = observes || looksFirst || last !== null;
    const found = looks ? await findLocalCopy(order, step, unsure) : null;
    if (observes) return observeCopy(order, step, found, deps);
    if (found !== null) return found;
    if (last !== null && !mayTryAgain(last, tries)) {
      if (last.kind === 'lost') throw last.error;
      if (last.kind === 'there') return explainUnfound(order, last.because, step);
      return { kind: last.kind, end: { outcome: 'LENDING_REFUSED' } };
    }
    if (last?.kind === 'there') await step.pauseAfter(tries);
    const made = await createCopy(order, step, tries === 0, deps);
    if (made.kind === 'busy') return made;
    if (made.kind === 'end') return made.result;
    if (made.kind === 'on_record') return ensureCopy({ ...order, lookFirst: 'on_record' }, step, deps);
    last = made;
    unsure ||= last.kind !== 'there';
    // An error that is over lets the look wait until right before the next try.
    const isOver = last.kind === 'record_refused' || (last.kind === 'lost' && last.isOfTheMoment);
    if (isOver) await step.pauseAfter(tries + 1);
  }
}

/**
 * A deadlock in Koha's database is its own error too, and a desk's or a batch's writes can be in our way like our own:
 * eight tries with jitter stored 200 of 200 records that had 113 deadlocks between them (docs/decisions/0017-one-create-at-a-time.md).
 */
const MOST_REFUSALS = 8;
/** Namesakes at one desk at one moment are few; in a rush of them each try lets one more through. */
const MOST_RACES = 10;
/** Creates lost to an error page within one try, each followed by a look that was answered. */
const MOST_LOSSES = 3;

/** Whether a create after which nothing was found is worth one more try, after so many. */
function mayTryAgain(last: NotCreated, tries: number): boolean {
  switch (last.kind) {
    case 'lost':
      return last.isOfTheMoment && tries < MOST_LOSSES;
    case 'record_refused':
      return tries < MOST_REFUSALS;
    case 'there':
      // We send no login: Koha made one from the names, and a namesake created at the same moment was faster.
      return last.because.kind === 'userid_taken' && tries < MOST_RACES;
    default:
      return last satisfies never;
  }
}

/** Creates note in the job, and in the audit, that the copy leaves before it does. */
const ensureDeps = (
  scan: Scan,
  order: CopyOrder,
  { lock, patronLock }: Locks,
  { createAccess, recordObserved, audit }: CopyDeps,
): EnsureDeps => ({
  createAccess,
  recordObserved,
  patronLock,
  async noteSent(claim) {
    const { home, homeKey: home_key, fields } = order;
    const sent = { home, home_key, fields: [...fields] };
    const claimed = await patronLock.takeWith((wish) => lock.noteSent(sent, { ...claim, patronLock: wish }));
    if (claimed === 'taken') audit.sending(scan, order);
    return claimed;
  },
  onlyLeft: (fields) => lock.onlyLeft(fields),
});

/** The result of a failure at the lending library: it still says where. Throws what is no failure of a library. */
function failedCopy(home: string, error: unknown): Result {
  const failure = decideFailure(error);
  if (failure.kind === 'misconfigured') {
    return done({ outcome: 'MISCONFIGURED', problem: failure.problem, homes: [home] });
  }
  if (failure.kind !== 'wait') throw error;
  if (failure.library !== home) {
    return { ...failure, kind: 'retry', otherwise: { outcome: 'LENDING_UNREACHABLE', homes: [home] } };
  }
  const reasons = failure.reason === 'PAUSED' ? { reasons: ['PAUSED'] as const } : {};
  return { ...failure, kind: 'retry', otherwise: { outcome: 'HOME_UNREACHABLE', homes: [home], ...reasons } };
}
