import {
  buildCopyRecordReader,
  findCopyOf,
  homesOnRecord,
  noteFindings,
  pruneFindings,
  rekeyCopyRecord,
} from '@passport/queue/copies';
import { libraryById } from '@passport/patron-rules';
import type { OwnedLock } from '@passport/queue/locks';
import {
  type SweepJob,
  type SweepState,
  forgetMissing,
  noteDone,
  noteMissing,
  openSweepLock,
  openUnanswered,
  readSweep,
  writeSweep,
} from '@passport/queue/sweeps';
import { type Redis, createEncryption } from '@passport/runtime';
import { SweepPaused, type SliceContext } from '../koha/slice.ts';
import { buildPassOn } from './pass-on.ts';
import { sweepLibrary } from './sweep-library.ts';
import { SWEEP_LIMITS, type SweepDeps, newSweep } from './sweep-state.ts';
import type { WorkContext } from '../work-context.ts';

const FULL_EVERY_MS = 6.5 * 24 * 3_600_000;
/** A second sweep of the same library looks after so long whether the first one has ended. */
const OTHER_SWEEP_MS = 60_000;

export interface SweepJobDeps extends SliceContext, Pick<WorkContext, 'newId'> {
  /** Whether a job has not ended yet. */
  readonly isAlive: (jobId: string) => Promise<boolean>;
}

/** A job keeps its id when it is run again. Its name beside what was written has no colons. */
const sweepIdOf = (jobId: string): string => jobId.replaceAll(/[^\w-]/g, '-');

/** Sweeps for a slice. Throws SweepPaused where it goes on later, and KohaError or LibraryClosed where the lending library does not answer. */
export async function doSweepJob(jobId: string, wanted: SweepJob, deps: SweepJobDeps): Promise<void> {
  const { redis, newId, stopping, slice } = deps;
  const lock = openSweepLock(redis, { library: wanted.library, sweep: sweepIdOf(jobId), run: newId() });
  await underSweepLock(lock, { ...deps, stopping }, async ({ signal, assertHeld }) => {
    const save = async (next: SweepState): Promise<void> => {
      await assertHeld();
      await writeSweep(redis, next);
    };
    const ends = AbortSignal.any([signal, slice.signal]);
    const passOn = buildPassOn(deps, ends);
    await runSweep(jobId, wanted, { ...deps, save, passOn, call: deps.callsUntil(ends) });
  });
}

async function runSweep(
  job: string,
  wanted: SweepJob,
  deps: SweepJobDeps & Pick<SweepDeps, 'save' | 'call' | 'passOn'>,
): Promise<void> {
  const { consortium, redis, libraries, now, log } = deps;
  const { library, dry_run: isDry } = wanted;
  const lending = consortium.libraries.find((each) => each.id === library);
  if (lending === undefined) throw new Error(`${library} is not in this worker's configuration`);
  // Shut out since the job was queued: a sweep over none of its homes would count as one that is done.
  if (!lending.enabled) throw new Error(`${library} is not enabled`);
  const before = await readSweep(redis, library, isDry);
  const isOpen = before !== null && before.ended_ms === null;
  if (isOpen && before.job !== job && (await deps.isAlive(before.job)))
    throw new SweepPaused(now() + OTHER_SWEEP_MS);
  const state = isOpen && before.job === job ? before : await beginSweep(job, wanted, before, deps);
  const { id } = state;
  await deps.save(state);
  if (state !== before) {
    log.info(
      { audit: true, action: 'sweep', lending: library, sweep: id, mode: state.mode, dry_run: isDry },
      'sweep',
    );
  }
  const { patronProperties } = await libraries.capabilities(library);
  const unanswered = openUnanswered(redis, library, isDry);
  await sweepLibrary(state, {
    ...deps,
    readRecords: buildCopyRecordReader(redis, now),
    records: recordsIn(redis),
    encryption: createEncryption(deps.keys.map((key) => key.reveal())),
    accepts: (property) => patronProperties.has(property),
    unanswered: {
      ...unanswered,
      async note(home) {
        const homeKeys = await unanswered.read();
        if (isDry) return new Map(homeKeys.map((homeKey) => [homeKey, now()]));
        return noteMissing(redis, { library, home }, homeKeys, now());
      },
      forget: async (homes) => (isDry ? undefined : forgetMissing(redis, library, homes)),
    },
    findings: {
      note: async (copies) => (isDry ? undefined : noteFindings(redis, library, copies, now())),
      prune: async (isOf) =>
        isDry ? undefined : pruneFindings(redis, library, { isOf, beforeMs: state.started_ms }),
    },
    limits: SWEEP_LIMITS,
  });
  if (!isDry) await noteDone(redis, { kind: 'sweep', library }, now());
  log.info({ audit: true, action: 'sweep ended', lending: library, sweep: id }, 'sweep ended');
}

/** The service's own records of copies, where one gets another home key. */
export const recordsIn = (redis: Redis): SweepDeps['records'] => ({
  find: (lending, homeKey) => findCopyOf(redis, lending, homeKey),
  rekey: (lending, copy) => rekeyCopyRecord(redis, lending, copy),
});

async function beginSweep(
  job: string,
  { library, dry_run, full }: SweepJob,
  before: SweepState | null,
  { consortium, redis, now }: SweepJobDeps,
): Promise<SweepState> {
  const lastFullMs = before?.last_full_ms ?? null;
  const lastMs = before?.last_ms ?? null;
  const { standing } = libraryById(consortium, library);
  const isDue = lastFullMs === null || lastMs === null || now() - lastFullMs >= FULL_EVERY_MS;
  // What a patron owes, and what ends by its date, does not change when a record was stored.
  const mode = full || dry_run || isDue || standing !== 'off' ? 'full' : 'changed';
  const homes = await homesWithCopies(library, before, { consortium, redis });
  const of = { id: sweepIdOf(job), job, library, mode, dry_run } as const;
  return newSweep(of, before, { homes, nowMs: now() });
}

/** The home libraries that have copies on record, or had some in the last sweep. */
async function homesWithCopies(
  library: string,
  before: SweepState | null,
  { consortium, redis }: Pick<SweepJobDeps, 'consortium' | 'redis'>,
): Promise<readonly string[]> {
  const homes = await homesOnRecord(redis, library);
  const hadCopies = new Set(
    Object.entries(before?.homes ?? {}).flatMap(([home, { copies }]) => (copies > 0 ? [home] : [])),
  );
  return [...consortium.agreements.homesAt(library)].filter((home) => homes.has(home) || hadCopies.has(home));
}

/** Notes in the report of a sweep that its job has failed, so that nobody waits for it. */
export async function noteFailed(
  redis: Redis,
  job: string,
  { library, dry_run: isDry }: SweepJob,
  { because, nowMs }: { readonly because: string; readonly nowMs: number },
): Promise<void> {
  const state = await readSweep(redis, library, isDry);
  if (state === null || state.job !== job || state.ended_ms !== null) return;
  await writeSweep(redis, { ...state, ended_ms: nowMs, failed: because });
}

/** How long the lock outlives a worker that died. */
const LIFE_MS = 180_000;
const EXTEND_EACH_MS = 15_000;
/** Who finds it taken looks again after so long: the other's slice may be over. */
const TAKEN_MS = 15_000;

export interface SweepLockDeps {
  readonly monotonicNow: () => number;
  readonly now: () => number;
  /** The process stops. */
  readonly stopping: AbortSignal;
  readonly lifeMs?: number;
  readonly extendEachMs?: number;
}

/** What the work under the lock has of it. */
export interface HeldLock {
  /** Aborted when the process stops, and when the lock is lost: make no call after that. */
  readonly signal: AbortSignal;
  /** Throws where the lock is lost: right before something that only its owner may write. */
  assertHeld(): Promise<void>;
}

/**
 * Does the work of a sweep while it has its library's lock, which is extended for as long as the work takes. A lock that another run
 * has, or that could not be extended for half of its life, ends the work before its next call. Throws SweepPaused where another sweep
 * has it.
 */
export async function underSweepLock(
  lock: OwnedLock,
  { monotonicNow, now, stopping, lifeMs = LIFE_MS, extendEachMs = EXTEND_EACH_MS }: SweepLockDeps,
  work: (held: HeldLock) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([stopping, lost.signal]);
  const lose = (): void => lost.abort(new Error('the lock of this sweep is lost'));
  signal.throwIfAborted();
  let extendedAt = monotonicNow();
  if (!(await lock.take(lifeMs))) throw new SweepPaused(now() + TAKEN_MS);
  const extend = async (): Promise<void> => {
    const at = monotonicNow();
    if (await lock.extend(lifeMs)) extendedAt = at;
    else lose();
  };
  const timer = setInterval(() => {
    if (monotonicNow() - extendedAt > lifeMs / 2) lose();
    else void extend().catch(() => undefined); // Redis may be back in time; the connection logs its outages
  }, extendEachMs);
  try {
    await work({
      signal,
      async assertHeld() {
        await extend();
        lost.signal.throwIfAborted();
      },
    });
  } finally {
    clearInterval(timer);
    await lock.release().catch(() => undefined); // it ends by itself
  }
}
