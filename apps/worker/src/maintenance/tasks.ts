import type { Consortium } from '@passport/config';
import { trimCopyRecords } from '@passport/queue/copies';
import { librariesWithDelayed, promoteDelayed, promotePaused } from '@passport/queue/delays';
import { REPORTS, SCANS } from '@passport/queue/keys';
import { type LibraryHealth, writeHealth } from '@passport/queue/processes';
import { cleanReports } from '@passport/queue/reports';
import {
  buildItemSweep,
  buildKeptSweep,
  cleanByAge,
  rewriteLogWhenDue,
  takeTurn,
} from '@passport/queue/retention';
import { type ScanJobs, promoteOverdue } from '@passport/queue/scans';
import type { Logger, Redis } from '@passport/runtime';
import type { CircuitSeen } from '../koha/libraries.ts';
import { LONGEST_WAIT_MS } from '../provision/retry-policy.ts';
import type { Task } from './start-tasks.ts';
import type { WorkContext } from '../work-context.ts';

/** A desk waits, and a round finds nothing with one command. */
const PROMOTE_EVERY_MS = 250;
const HEALTH_EVERY_MS = 2_000;
const SWEEP_EVERY_MS = 10_000;
const OVERDUE_EVERY_MS = 2_000;
/** What one library may bring in between two of these is what it may have too much. */
const KEPT_EVERY_MS = 5_000;
const CLEAN_EVERY_MS = 60_000;
/** How long Redis' append-only file may keep what was removed. A rewrite of compose's 512 MB takes seconds. */
const REWRITE_EVERY_MS = 3_600_000;

interface TasksContext extends Pick<
  WorkContext,
  'consortium' | 'redis' | 'queue' | 'reportQueue' | 'libraries' | 'pauseLeft' | 'health' | 'now' | 'log'
> {
  readonly workerId: string;
  /** So many ended events of a library went before their time. */
  readonly dropped: (library: string, state: 'finished' | 'failed', count: number) => void;
}

/** What every worker process does beside the jobs; ten of them doing it is as right as one, and one does what costs much. */
export function buildTasks(context: TasksContext): readonly Task[] {
  const { consortium, redis, queue, reportQueue, libraries, pauseLeft, health, now, log } = context;
  const { retention } = consortium;
  const sweepKept = buildKeptSweep(redis, queue, context.dropped);
  const sweepItems = buildItemSweep(redis);
  const known = new Set(consortium.libraries.map(({ id }) => id));
  const promotion = (
    kind: typeof SCANS | typeof REPORTS,
    waiting: TasksContext['queue' | 'reportQueue'],
    circuitOf: (library: string) => CircuitSeen,
  ): Task => ({
    name: kind === SCANS ? 'promote scans' : 'promote reports',
    everyMs: PROMOTE_EVERY_MS,
    work: () =>
      promoteRound({
        circuitOf,
        delayedFor: async () => (await librariesWithDelayed(redis, kind)).filter((id) => known.has(id)),
        promote: (library, most) => promoteDelayed(redis, waiting, library, most),
      }),
  });
  const writeHealthOf = async ([library, seen]: readonly [string, LibraryHealth]): Promise<void> => {
    try {
      await writeHealth(redis, library, context.workerId, seen);
    } catch (error) {
      health.unwritten(library);
      throw error;
    }
  };
  const writeChanges = (): Promise<unknown> => Promise.all(health.takeChanges().map(writeHealthOf));
  return [
    promotion(SCANS, queue, libraries.circuit),
    promotion(REPORTS, reportQueue, libraries.reportCircuit),
    {
      name: 'promote paused',
      everyMs: PROMOTE_EVERY_MS,
      work: () => promotePaused(redis, queue, (library, side) => pauseLeft(library, side) !== null),
    },
    { name: 'library health', everyMs: HEALTH_EVERY_MS, work: writeChanges },
    {
      name: 'clock steps',
      everyMs: OVERDUE_EVERY_MS,
      work: () => promoteOverdue(redis, queue, now(), LONGEST_WAIT_MS),
    },
    { name: 'items', everyMs: SWEEP_EVERY_MS, work: () => sweepItems(now()) },
    {
      name: 'kept events',
      everyMs: KEPT_EVERY_MS,
      // The one look at all libraries that many workers would notice in Redis.
      work: async () => {
        if (!(await takeTurn(redis, 'kept', KEPT_EVERY_MS))) return;
        const ages = { finished: retention.finishedMs, failed: retention.failedMs };
        await sweepKept(consortium.libraries, ages, now());
      },
    },
    {
      name: 'retention',
      everyMs: CLEAN_EVERY_MS,
      work: () => cleanRetained(redis, queue, consortium, now()),
    },
    { name: 'rewrite', everyMs: CLEAN_EVERY_MS, work: () => rewrite(redis, log) },
    { name: 'retention of reports', everyMs: CLEAN_EVERY_MS, work: () => cleanReports(reportQueue) },
  ];
}

async function cleanRetained(
  redis: Redis,
  queue: ScanJobs,
  { libraries, retention }: Consortium,
  nowMs: number,
): Promise<void> {
  await cleanByAge(redis, queue, retention, nowMs);
  const ids = libraries.map(({ id }) => id);
  await trimCopyRecords(redis, ids, nowMs - retention.receiptsMs);
}

async function rewrite(redis: Redis, log: Logger): Promise<void> {
  if ((await rewriteLogWhenDue(redis, REWRITE_EVERY_MS)) !== 'refused') return;
  log.warn(
    'Redis does not rewrite its append-only file for us: it keeps encrypted cards until it does by itself',
  );
}

/** A library that answered within this is back: everybody may come. */
const BACK_WITHIN_MS = 3_000;

/**
 * How many of the jobs that wait for a library's circuit to promote now. While nobody knows whether the library is back, one
 * job at a time goes and sees: no process calls a Koha without an event. Pure.
 */
export function decidePromotion(
  circuit: { readonly isOpen: boolean; readonly isDue: boolean },
  sinceSuccessMs: number | null,
): 'all' | 'one' | 'none' {
  if (circuit.isOpen) return circuit.isDue ? 'one' : 'none';
  return sinceSuccessMs !== null && sinceSuccessMs <= BACK_WITHIN_MS ? 'all' : 'one';
}

/** One round over the libraries that jobs wait for, whichever worker delayed them. */
export async function promoteRound(deps: {
  readonly circuitOf: (library: string) => CircuitSeen;
  readonly delayedFor: () => Promise<readonly string[]>;
  readonly promote: (library: string, most: number) => Promise<number>;
}): Promise<void> {
  const { circuitOf, delayedFor, promote } = deps;
  for (const library of await delayedFor()) {
    const seen = circuitOf(library);
    const many = decidePromotion(seen, seen.sinceSuccessMs);
    if (many !== 'none') await promote(library, many === 'all' ? Infinity : 1);
  }
}
