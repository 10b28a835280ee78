import type { Consortium, WorkerConfig } from '@passport/config';
import {
  type FetchWatch,
  LenientWorker,
  SWEEPS,
  type SweepJob,
  type SweepState,
  noteMissing,
  openSweepLock,
  openSweepQueue,
  readSweep,
  sweepJobSchema,
  writeSweep,
} from '@passport/queue';
import { type Logger, type Redis, createEncryption } from '@passport/runtime';
import type { Libraries } from '../koha/libraries.ts';
import { rethrowInCodes } from '../koha/koha-failure.ts';
import { doOwedJob, scheduleOwed } from '../owed/owed-jobs.ts';
import { copiesOf } from './copies-before.ts';
import { buildDeskActivity } from '../koha/desk-activity.ts';
import { type SweepCall, buildSweepCalls } from '../koha/sweep-calls.ts';
import { sweepLibrary } from './sweep-library.ts';
import { type HeldLock, underSweepLock } from './under-sweep-lock.ts';

/** A dead worker's sweep goes on elsewhere within a minute. */
const LOCK_MS = 30_000;
const STALLED_INTERVAL_MS = 15_000;
const MOST_STALLS = 1_000;
const FULL_EVERY_MS = 6.5 * 24 * 3_600_000;

export interface SweepWorkerDeps {
  readonly consortium: Consortium;
  readonly connection: Redis;
  readonly fetches?: FetchWatch | undefined;
  readonly redis: Redis;
  readonly libraries: Libraries;
  readonly keys: WorkerConfig['keys'];
  /** Whether calls of this process are under way at a library, or wait there. */
  readonly isBusy: (library: string) => boolean;
  readonly pause: (ms: number) => Promise<void>;
  readonly monotonicNow: () => number;
  readonly newId: () => string;
  readonly now: () => number;
  readonly log: Logger;
}

/** Starts the sweeps: the schedule of each lending library that wants them, and this process's share of the work. */
export async function startSweepWorker(deps: SweepWorkerDeps): Promise<{ close(): Promise<void> }> {
  const { consortium, connection, redis, log } = deps;
  const queue = openSweepQueue(redis);
  const stopping = new AbortController();
  await scheduleSweeps(consortium, queue);
  await scheduleOwed(consortium, queue, redis);
  const worker = new LenientWorker(
    SWEEPS,
    async (job) => {
      const wanted = sweepJobSchema.safeParse(job.data);
      if (!wanted.success) {
        return doOwedJob(job.data, { ...deps, call: callsUntil(stopping.signal, deps) });
      }
      // A job keeps its id when it is run again. Its name beside what was written has no colons.
      const id = (job.id ?? '').replaceAll(/[^\w-]/g, '-');
      const lock = openSweepLock(redis, { library: wanted.data.library, sweep: id, run: deps.newId() });
      const held = { stopping: stopping.signal, monotonicNow: deps.monotonicNow };
      await underSweepLock(lock, held, (holding) => runSweep(id, wanted.data, holding, deps));
    },
    {
      connection,
      fetches: deps.fetches,
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_INTERVAL_MS,
      maxStalledCount: MOST_STALLS,
    },
  );
  worker.on('failed', (job, error) =>
    log.warn({ sweep: job?.name, because: error.message }, 'sweep interrupted'),
  );
  return {
    async close() {
      stopping.abort(new Error('stopping'));
      await worker.close();
      await queue.close();
    },
  };
}

const callsUntil = (signal: AbortSignal, deps: SweepWorkerDeps): SweepCall =>
  buildSweepCalls({ ...deps, isBusy: buildDeskActivity(deps), signal });

/** One job scheduler for each library that is swept, and none for others: a schedule fires once, however many workers there are. */
async function scheduleSweeps(
  { libraries }: Consortium,
  queue: ReturnType<typeof openSweepQueue>,
): Promise<void> {
  for (const library of libraries) {
    const sweep = library.enabled ? (library.refresh?.sweep ?? null) : null;
    if (sweep === null) await queue.removeJobScheduler(library.id);
    else {
      const { hour, minute } = sweep;
      const data: SweepJob = { library: library.id, dry_run: false, full: false };
      await queue.upsertJobScheduler(
        library.id,
        { pattern: `${minute} ${hour} * * *` },
        { name: library.id, data },
      );
    }
  }
}

async function runSweep(
  id: string,
  wanted: SweepJob,
  { signal, assertHeld }: HeldLock,
  deps: SweepWorkerDeps,
): Promise<void> {
  const { consortium, redis, libraries, now, log } = deps;
  const { library } = wanted;
  const lending = consortium.libraries.find((each) => each.id === library);
  if (lending === undefined) throw new Error(`${library} is not in this worker's configuration`);
  // Shut out since the job was queued: a sweep over none of its homes would count as one that is done.
  if (!lending.enabled) throw new Error(`${library} is not enabled`);
  const before = await readSweep(redis, library, wanted.dry_run);
  const state = before?.id === id && before.ended_ms === null ? before : newSweep(id, wanted, before, deps);
  const save = async (next: SweepState): Promise<void> => {
    await assertHeld();
    await writeSweep(redis, next);
  };
  await save(state);
  log.info(
    { audit: true, action: 'sweep', lending: library, sweep: id, mode: state.mode, dry_run: state.dry_run },
    'sweep',
  );
  const { patronProperties } = await libraries.capabilities(library);
  await sweepLibrary(state, {
    ...deps,
    encryption: createEncryption(deps.keys.map((key) => key.reveal())),
    call: callsUntil(signal, deps),
    accepts: (property) => patronProperties.has(property),
    save,
    noteMissing: (home, homeKeys) => noteMissing(redis, { library, home }, homeKeys, now()),
  }).catch(rethrowInCodes);
  log.info({ audit: true, action: 'sweep ended', lending: library, sweep: id }, 'sweep ended');
}

function newSweep(
  id: string,
  { library, dry_run, full }: SweepJob,
  before: SweepState | null,
  { consortium, now }: SweepWorkerDeps,
): SweepState {
  const lastFullMs = before?.last_full_ms ?? null;
  const lastMs = before?.last_ms ?? null;
  const isDue = lastFullMs === null || lastMs === null || now() - lastFullMs >= FULL_EVERY_MS;
  const homes = [...consortium.agreements.homesAt(library)].map(
    (home) =>
      [
        home,
        { state: 'waiting' as const, copies: 0, findings: {}, fields_changed: 0, fields_kept: 0 },
      ] as const,
  );
  return {
    id,
    library,
    mode: full || dry_run || isDue ? 'full' : 'changed',
    dry_run,
    started_ms: now(),
    ended_ms: null,
    after: 0,
    missing: [],
    homes: Object.fromEntries(homes),
    copies_before: copiesOf(before),
    last_full_ms: lastFullMs,
    last_ms: lastMs,
  };
}
