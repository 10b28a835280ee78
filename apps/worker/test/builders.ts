import { type JobData, type Progress, queuedProgress, encryptionContext } from '@passport/contract';
import { type OpenKohaClient, KohaError, type KohaErrorCode, type KohaFailure } from '@passport/koha-client';
import { createEncryption } from '@passport/runtime';
import { buildJob } from '@passport/testkit';
import { openHistory } from '../src/provision/history.ts';
import { LockLost } from '../src/job/job-lock.ts';
import type { TakenJob } from '../src/job/run-result.ts';
import type { RunDeps } from '../src/job/run-scan.ts';
import type { JobLock, Scan } from '../src/provision/scan.ts';

export const CARD = '21234000000017';
export const ITEM = '39999000012345';
export const NOON = Date.parse('2026-11-25T12:00:00Z');
export const ENCRYPTION = createEncryption([Buffer.alloc(32, 7)]);

/** A clock that stands still until it is moved forward. */
export interface ManualClock {
  now(): number;
  forward(ms: number): void;
}

export function manualClock(startMs = 0): ManualClock {
  let at = startMs;
  return {
    now: () => at,
    forward: (ms) => {
      at += ms;
    },
  };
}

/** A lock that is held for good, until `lose` or `stop`. */
export function heldLock(): JobLock & { lose(): void; stop(): void } {
  const end = new AbortController();
  return {
    signal: end.signal,
    assertHeld() {
      if (end.signal.reason instanceof LockLost) throw end.signal.reason;
    },
    lose: () => end.abort(new LockLost()),
    stop: () => end.abort(),
  };
}

/** A job of riverside as the receiver makes it, with what it encrypts; each part may be replaced. */
export function jobData(change: Partial<JobData> = {}, encryption = ENCRYPTION): JobData {
  const library = change.library ?? 'riverside';
  const eventId = change.event_id ?? 'evt_1';
  const encrypt = (text: string, field: 'card' | 'item') =>
    encryption.encrypt(text, encryptionContext(library, eventId, field));
  return buildJob({ sealed_card: encrypt(CARD, 'card'), sealed_item: encrypt(ITEM, 'item'), ...change });
}

/** The state of a job that waits for a library. */
export function waitingProgress(
  reason: NonNullable<Progress['waiting_for']>['reason'],
  change: Partial<Progress> = {},
): Progress {
  return {
    ...queuedProgress(new Date(NOON).toISOString()),
    seq: 3,
    state: 'waiting',
    attempt: 1,
    waiting_for: { library: 'midland', reason, next_try_at: new Date(NOON).toISOString() },
    ...change,
  };
}

/** A job as BullMQ hands it over for the first time. */
export function takenJob(change: Partial<TakenJob> = {}): TakenJob {
  return {
    data: jobData(),
    addedMs: NOON,
    starts: 1,
    stalls: 0,
    bugs: 0,
    lock: heldLock(),
    isCancelled: false,
    save: () => Promise.resolve('taken'),
    saveWanted: () => Promise.resolve(),
    ...change,
  };
}

/** What a run needs, with a workflow that is never reached and a clock at noon. */
export function runDeps(change: Partial<RunDeps> = {}): RunDeps {
  return {
    resumeConsent: (scan) => Promise.resolve({ kind: 'goes_on', scan }),
    monotonicNow: () => 0,
    provision: () => Promise.reject(new Error('the workflow was run')),
    encryption: ENCRYPTION,
    giveUpAfterMs: (library) => (library === 'riverside' ? 900_000 : null),
    knows: () => true,
    longestGiveUpMs: 900_000,
    pauseLeftMs: () => null,
    timeoutMs: () => 3_000,
    freeSlotMs: () => 120,
    isLost: () => false,
    nameOf: (id) => `${id} library`,
    now: () => NOON,
    random: () => 0.5,
    ...change,
  };
}

/** The scan of a card that waits with an item, opened. */
export function aScan(change: Partial<Scan> = {}): Scan {
  return {
    lending: 'riverside',
    eventId: 'evt_1',
    branch: 'MAIN',
    card: CARD,
    operator: 51,
    interface: 'staff',
    question: undefined,
    consent: undefined,
    checkoutRequested: true,
    item: ITEM,
    day: '2026-11-25',
    cardHash: 'kid:card-hash',
    wantedMs: NOON,
    startedMs: NOON,
    mayHaveWritten: false,
    copyMayBeThere: false,
    sent: null,
    made: null,
    history: openHistory(() => 0),
    ...change,
  };
}

/** A call that failed, as the client throws it. */
export function kohaError(code: KohaErrorCode, change: Partial<KohaFailure> = {}): KohaError {
  return new KohaError({ code, library: 'midland', operation: 'GET /patrons', effect: 'none', ...change });
}

/** A client whose calls nobody answers: for what never gets that far. */
export const noClient = { inFlight: Infinity } as OpenKohaClient;
