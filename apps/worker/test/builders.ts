import { type Consortium, parseConsortium } from '@passport/config';
import {
  type JobData,
  type Progress,
  encryptionContext,
  formatWebhookSecret,
  queuedProgress,
} from '@passport/contract';
import {
  KohaError,
  type KohaErrorCode,
  type KohaFailure,
  type KohaPatron,
  type OpenKohaClient,
} from '@passport/koha-client';
import { createEncryption } from '@passport/runtime';
import { buildConsortiumFile, buildJob, consortiumSecrets } from '@passport/testkit';
import { type JobLock, type Scan, type ScanLock, openHistory } from '../src/provision/scan.ts';
import { LockLost } from '../src/job/job-lock.ts';
import type { RunContext } from '../src/job/run-scan.ts';
import type { TakenJob } from '../src/job/taken-job.ts';
import type { Result } from '../src/provision/result.ts';

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
  return buildJob({
    encrypted_card: encrypt(CARD, 'card'),
    encrypted_item: encrypt(ITEM, 'item'),
    ...change,
  });
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

/** The configuration of some libraries that nobody serves; more keys of their entries by library. */
export function consortiumWith(
  ids: readonly string[],
  entries: Readonly<Record<string, Record<string, unknown>>> = {},
): Consortium {
  const served = ids.map((id) => ({
    id,
    kohaUrl: `https://${id}.example`,
    clientId: id,
    clientSecret: `what ${id} is known by`,
    webhookSecret: formatWebhookSecret(Buffer.alloc(32, `what ${id} signs with`)),
    entry: entries[id] ?? {},
  }));
  return parseConsortium(buildConsortiumFile(served), consortiumSecrets(served), () => {
    throw new Error('no file is read');
  });
}

const CONSORTIUM = consortiumWith(['midland', 'riverside']);
const unused = (): never => {
  throw new Error('it was used');
};

/** What a run is done with; `provision` stands for all that the workflow does once it has found the patron. */
export type RunDeps = RunContext & { readonly provision?: (scan: Scan, lock: ScanLock) => Promise<Result> };

/** What a run needs, with midland's patron found, a workflow that is never reached beyond that, and a clock at noon. */
export function runDeps({ provision, ...change }: Partial<RunDeps> = {}): RunContext {
  const withPatronLock = (scan: unknown, _homeKey: string, lock: unknown): Promise<unknown> =>
    provision?.(scan as Scan, lock as ScanLock) ?? Promise.reject(new Error('the workflow was run'));
  return {
    consortium: CONSORTIUM,
    libraries: librariesWhere(() => false),
    quota: { reserve: () => Promise.resolve(null), isAmple: () => false },
    withPatronLock: withPatronLock as RunContext['withPatronLock'],
    createAccess: { freeInMs: () => null, within: unused },
    audit: { lookedUp: () => undefined } as unknown as RunContext['audit'],
    receipts: { append: () => Promise.resolve(null) },
    records: { find: () => Promise.resolve(null), rekey: () => Promise.resolve() },
    readConsent: unused,
    readDecision: unused,
    copied: unused,
    remember: unused,
    inStep: (_name, work) => work(),
    encryption: ENCRYPTION,
    pauseLeft: () => null,
    slots: { bookMs: () => 120 },
    nameOf: (id) => `${id} library`,
    now: () => NOON,
    monotonicNow: () => 0,
    pause: unused,
    random: () => 0.5,
    ...change,
  };
}

/** A patron of midland against whom nothing stands, as the client reads them. */
export const FOUND: KohaPatron = {
  patronId: 2,
  cardnumber: CARD,
  surname: 'Okafor',
  firstname: 'Adaeze',
  fields: {},
  libraryId: 'MAIN',
  categoryId: 'AD',
  dateOfBirth: '1990-05-01',
  dateEnrolled: null,
  expiryDate: '2037-12-31',
  expired: false,
  anonymized: false,
  restricted: false,
  cardLost: false,
  incorrectAddress: false,
  privacy: 1,
  accountBalance: 0,
  attributes: [],
  hidden: false,
};

/** Libraries that all know the patron, and some of which have an open circuit. */
export function librariesWhere(isOpen: (library: string) => boolean): RunContext['libraries'] {
  const client = { findByCard: () => Promise.resolve([FOUND]) } as Partial<OpenKohaClient> as OpenKohaClient;
  return {
    call: (_library, work) => work(client),
    capabilities: unused,
    prepare: () => undefined,
    circuit: (library) => ({ isOpen: isOpen(library), isDue: false, sinceSuccessMs: null }),
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
    decides: [],
    asks: undefined,
    decided: [],
    checkoutRequested: true,
    item: ITEM,
    day: '2026-11-25',
    cardHash: 'kid001:card-hash',
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
