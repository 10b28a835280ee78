import {
  FEW_SECONDS_BUCKETS,
  type MetricsRegistry,
  SECONDS_BUCKETS,
  ZERO_AT_FIRST,
  areInDetail,
  createCounter,
  createHistogram,
} from '@passport/runtime';

const LIMITS = ['copies', 'misses', 'verdicts'] as const;
/** An hourly limit of a library, by its label. */
export type HourlyLimit = (typeof LIMITS)[number];

const REQUEUE_REASONS = ['newer_version', 'unknown_library', 'disabled_library'] as const;
/** Why a job waits for another worker: a newer one, or one with a configuration in which its library is there, or goes on. */
export type RequeueReason = (typeof REQUEUE_REASONS)[number];

export type JobMetrics = ReturnType<typeof jobMetrics>;

/**
 * What the worker counts of its jobs: `passport_jobs_total`, `passport_scan_to_copy_seconds`, `passport_step_seconds`, `passport_limit_reached_total` and
 * `passport_jobs_requeued_total`. Of each library the outcomes that an alert looks for, the limits and the reasons are
 * there from the start, at zero; of many libraries only once there is something to count.
 */
export function jobMetrics(
  registry: MetricsRegistry,
  libraries: readonly string[],
  alertedOutcomes: readonly string[],
) {
  const isDetailed = areInDetail(libraries.length);
  const ofEach = <T, L>(values: readonly T[], labels: (library: string, value: T) => L) =>
    isDetailed
      ? libraries.flatMap((library) => values.map((value) => labels(library, value)))
      : ZERO_AT_FIRST;
  const ended = createCounter(
    registry,
    {
      name: 'passport_jobs_total',
      help: 'Jobs that ended, by lending library and outcome',
      labels: ['library', 'outcome'],
    },
    ofEach(alertedOutcomes, (library, outcome) => ({ library, outcome })),
  );
  const limited = createCounter(
    registry,
    {
      name: 'passport_limit_reached_total',
      help: 'How often a job waited because its library had reached an hourly limit',
      labels: ['library', 'limit'],
    },
    ofEach(LIMITS, (library, limit) => ({ library, limit })),
  );
  const requeued = createCounter(
    registry,
    {
      name: 'passport_jobs_requeued_total',
      help: 'How often a job was requeued for a worker with a newer version or configuration, or because its library is not enabled',
      labels: ['library', 'reason'],
    },
    ofEach(REQUEUE_REASONS, (library, reason) => ({ library, reason })),
  );
  const scanToCopy = createHistogram(
    registry,
    {
      name: 'passport_scan_to_copy_seconds',
      help: 'From the scan of the card to the copy in the lending library',
      labels: ['library'],
    },
    () => (isDetailed ? SECONDS_BUCKETS : FEW_SECONDS_BUCKETS),
  );
  const steps = createHistogram(registry, {
    name: 'passport_step_seconds',
    help: 'How long each step of a job took',
    labels: ['step'],
  });
  return {
    ended: (library: string, outcome: string): void => ended({ library, outcome }),
    /** A copy was made, so many seconds after its scan. */
    copied: (library: string, seconds: number): void => scanToCopy({ library }, seconds),
    step: (step: string, seconds: number): void => steps({ step }, seconds),
    limitReached: (library: string, limit: HourlyLimit): void => limited({ library, limit }),
    requeued: (library: string, reason: RequeueReason): void => requeued({ library, reason }),
  };
}
