import type { Consortium, WorkerConfig } from '@passport/config';
import type { FetchWatch } from '@passport/queue/bullmq';
import type { Receipts } from '@passport/queue/copies';
import type { Pauses } from '@passport/queue/processes';
import type { ReportJobs } from '@passport/queue/reports';
import type { ScanJobs } from '@passport/queue/scans';
import type { Logger, Redis, RedisClock, Tracing } from '@passport/runtime';
import type { WorkerLoad } from './job/worker-load.ts';
import type { CopyMemory } from './koha/copy-memory.ts';
import type { HealthTracker } from './koha/health-tracker.ts';
import type { Libraries } from './koha/libraries.ts';
import type { PauseLeft } from './koha/pauses.ts';
import type { SlotClock } from './koha/slot-clock.ts';
import type { JobMetrics } from './metrics/job-metrics.ts';
import type { Sources } from './sources.ts';

/** The worker's two connections, what knows whether its queues bring jobs, and the clock that all processes agree on. */
export interface RedisConnections {
  /** BullMQ's own: commands wait until Redis is back. */
  readonly connection: Redis;
  /** For our own keys: a command that cannot be done now fails now. */
  readonly redis: Redis;
  readonly clock: RedisClock;
  readonly fetches: FetchWatch;
}

/** What a worker keeps while its configuration is replaced. */
export interface ProcessContext extends Sources, RedisConnections {
  readonly queue: ScanJobs;
  readonly reportQueue: ReportJobs;
  /** What operators have paused. */
  readonly pauses: Pauses;
  /** How often a connection to Redis was lost so far. */
  readonly breaks: () => number;
  /** One for the process: what it keeps for a lost connection outlives the configuration. */
  readonly receipts: Receipts;
  readonly tracing: Tracing;
  /** The queue's clock, in milliseconds since 1970; BullMQ in this process dates and delays jobs by it, too. */
  readonly now: () => number;
  readonly log: Logger;
}

/** What all work under one configuration is done with: built once (start-worker.ts), and handed on as it is. */
export interface WorkContext extends ProcessContext {
  readonly consortium: Consortium;
  readonly keys: WorkerConfig['keys'];
  readonly concurrency: number;
  readonly nameOf: (library: string) => string;
  readonly libraries: Libraries;
  /** Whether calls of this process are under way at a library, or wait there. */
  readonly isBusy: (library: string) => boolean;
  /** Books the next free place at a library that is at its cap. */
  readonly slots: SlotClock;
  readonly health: HealthTracker;
  readonly pauseLeft: PauseLeft;
  readonly memory: CopyMemory;
  readonly jobs: JobMetrics;
  readonly load: WorkerLoad;
  /** Aborted when the grace is over: jobs are requeued as they are, and a report that is being sent then is sent later. */
  readonly deadline: AbortSignal;
}

/** What the work on copies is done with: sweeps, refreshes at scans, and the readings of what they owe. */
export type CopiesContext = Pick<
  WorkContext,
  | 'consortium'
  | 'redis'
  | 'libraries'
  | 'receipts'
  | 'keys'
  | 'isBusy'
  | 'pause'
  | 'monotonicNow'
  | 'now'
  | 'log'
>;
