import type { WorkerConfig } from '@passport/config';
import type { Pauses, Receipts, ReportJobs, ScanJobs } from '@passport/queue';
import type { Lifecycle, Logger, MetricsRegistry, Tracing } from '@passport/runtime';
import type { Connected } from './koha/connect-libraries.ts';
import type { CopyMemory } from './koha/copy-memory.ts';
import type { PauseLeft } from './koha/pause-left.ts';
import type { JobMetrics } from './metrics/job-metrics.ts';
import type { WorkerLoad } from './job/worker-load.ts';
import type { RedisConnections } from './redis-connections.ts';
import type { Sources } from './sources.ts';

/** What a worker keeps while its configuration is replaced. */
export interface WorkerParts {
  readonly connections: RedisConnections;
  readonly queue: ScanJobs;
  readonly reportQueue: ReportJobs;
  /** What operators have paused. */
  readonly pauses: Pauses;
  /** How often a connection to Redis was lost so far. */
  readonly breaks: () => number;
  /** One for the process: what it keeps for a lost connection outlives the configuration. */
  readonly receipts: Receipts;
  readonly tracing: Tracing;
  readonly sources: Sources;
  readonly now: () => number;
  readonly log: Logger;
}

/** What all work under one configuration shares. Each `start-…` beside this file builds one subject from it. */
export interface WorkContext extends WorkerParts {
  readonly config: WorkerConfig;
  readonly lifecycle: Lifecycle;
  readonly metrics: MetricsRegistry;
  readonly jobs: JobMetrics;
  readonly kohas: Connected;
  readonly memory: CopyMemory;
  readonly load: WorkerLoad;
  readonly pauseLeft: PauseLeft;
  readonly nameOf: (library: string) => string;
}
