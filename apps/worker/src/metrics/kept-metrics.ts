import {
  type MetricsRegistry,
  type Samples,
  ZERO_AT_FIRST,
  areInDetail,
  createCounter,
  createGauge,
  sharedRead,
} from '@passport/runtime';

const STATES = ['finished', 'failed'] as const;
type KeptState = (typeof STATES)[number];
type Kept = Readonly<Record<KeptState, number>>;
type Bytes = { readonly bytes: number };

/** What each library has in Redis at this moment. */
export interface KeptReading {
  readonly libraries: Readonly<Record<string, Kept & Bytes>>;
  /** What Redis may use; 0: no limit, null: it does not say. */
  readonly memoryLimitBytes: number | null;
}

const READ_MS = 1_500;
/** To look at seven thousand keys takes longer than all else at a scrape, and Redis does nothing else meanwhile. */
const MANY_KEPT_MS = 60_000;
/** Of many libraries those are shown that have more than this of what they may keep, and more than this in Redis: alerts begin far above. */
const MANY_SHOWN = { share: 0.1, bytes: 2 ** 20 };

/**
 * `passport_library_kept_events{library,state}`, `passport_library_redis_bytes{library}` and
 * `passport_library_redis_share{library}`, read at each scrape (of many libraries once a minute); `passport_library_kept_limit{library,state}` beside them,
 * and `passport_kept_dropped_total{library,state}`: ended events that were removed before their time. By these an alert
 * names the library that fills Redis before Redis is full. Returns the function that counts the removed ones.
 */
export function keptMetrics(
  registry: MetricsRegistry,
  read: () => Promise<KeptReading>,
  limits: Readonly<Record<string, Kept>>,
): (library: string, state: KeptState, count: number) => void {
  const isDetailed = areInDetail(Object.keys(limits).length);
  const readOnce = sharedRead(READ_MS, read, 'reading what is kept', isDetailed ? 0 : MANY_KEPT_MS);
  const readLibraries = async () => (await readOnce())?.libraries ?? {};
  const ofStates = (
    figures: Readonly<Record<string, Kept>>,
    kept: Readonly<Record<string, Kept>>,
  ): Samples<'library' | 'state'> =>
    Object.entries(figures).flatMap(([library, each]) => {
      const least = (state: KeptState): number => MANY_SHOWN.share * (limits[library]?.[state] ?? 0);
      const shown = STATES.filter((state) => isDetailed || (kept[library]?.[state] ?? 0) > least(state));
      return shown.map((state) => [{ library, state }, each[state]] as const);
    });
  const ofBytes = async (
    value: (bytes: number, limitBytes: number) => number,
  ): Promise<Samples<'library'>> => {
    const { libraries, memoryLimitBytes } = (await readOnce()) ?? { libraries: {}, memoryLimitBytes: null };
    return Object.entries(libraries).flatMap(([library, { bytes }]) => {
      const shown = value(bytes, memoryLimitBytes ?? 0);
      return isDetailed || (bytes > MANY_SHOWN.bytes && shown > 0) ? [[{ library }, shown] as const] : [];
    });
  };
  const byLibrary = (name: string, help: string, value: Parameters<typeof ofBytes>[0]): void =>
    createGauge(registry, { name, help, labels: ['library'] }, () => ofBytes(value));
  const byState = (name: string, help: string, figures?: typeof limits): void =>
    createGauge(registry, { name, help, labels: ['library', 'state'] }, async () => {
      const kept = await readLibraries();
      return ofStates(figures ?? kept, kept);
    });
  byState('passport_library_kept_events', 'Ended events of a library in Redis, by state (finished, failed)');
  byLibrary(
    'passport_library_redis_bytes',
    'Estimated Redis memory of a library: its events and remembered ids, in bytes',
    (bytes) => bytes,
  );
  byLibrary(
    'passport_library_redis_share',
    'Estimated Redis memory of a library as a share of maxmemory, from 0 to 1; 0 without maxmemory',
    (bytes, limitBytes) => (limitBytes === 0 ? 0 : bytes / limitBytes),
  );
  byState(
    'passport_library_kept_limit',
    'Maximum number of ended events of a library in Redis (limits.kept_finished, limits.kept_failed)',
    limits,
  );
  const drop = createCounter(
    registry,
    {
      name: 'passport_kept_dropped_total',
      help: 'Ended events of a library that were removed early, because it had reached its limit',
      labels: ['library', 'state'],
    },
    isDetailed
      ? Object.keys(limits).flatMap((library) => STATES.map((state) => ({ library, state })))
      : ZERO_AT_FIRST,
  );
  return (library, state, count) => drop({ library, state }, count);
}
