import type { FetchWatch } from '@passport/queue/bullmq';
import { PAUSE_SIDES, type Pauses } from '@passport/queue/processes';
import { type NightlyKind, type NightlySeen, type SetUpSeen, faultsOf } from '@passport/queue/sweeps';
import { type MetricsRegistry, areInDetail, createGauge, sharedRead } from '@passport/runtime';

/** `passport_fetch_wait_seconds{queue}`: a queue that is watched twice, as at a reload, has the longer time. */
export function fetchMetrics(registry: MetricsRegistry, fetches: Pick<FetchWatch, 'waits'>): void {
  createGauge(
    registry,
    {
      name: 'passport_fetch_wait_seconds',
      help: 'For how long a fetch of jobs has not come back, by queue (up to 11 s where there are none)',
      labels: ['queue'],
    },
    () => {
      const longest = new Map<string, number>();
      for (const [queue, seconds] of fetches.waits())
        longest.set(queue, Math.max(seconds, longest.get(queue) ?? 0));
      return [...longest].map(([queue, seconds]) => [{ queue }, seconds] as const);
    },
  );
}

/** `passport_library_paused{library,as}`: 1 for each side of a library that is paused, and absent for all others. */
export function pauseMetrics(
  registry: MetricsRegistry,
  pauses: Pick<Pauses, 'of'>,
  libraries: readonly string[],
): void {
  createGauge(
    registry,
    {
      name: 'passport_library_paused',
      help: '1 while an operator has paused a library as home or lending library; absent otherwise',
      labels: ['library', 'as'],
    },
    () =>
      libraries.flatMap((library) =>
        PAUSE_SIDES.filter((side) => pauses.of(library, side) !== null).map(
          (side) => [{ library, as: side }, 1] as const,
        ),
      ),
  );
}

const READ_MS = 1_500;
/** Of many libraries only those are shown that have waited longer than a day, and they are read once a minute. */
const A_DAY_S = 25 * 3_600;
const MANY_READ_MS = 60_000;

/**
 * `passport_sweep_age_seconds{library}`, `passport_owed_age_seconds{library}` and `passport_loans_age_seconds{library}`: how long ago the last one of what is done every day
 * ended, or since when it should have been done if none has. By these an alert names the library whose nights are lost.
 */
export function nightlyMetrics(
  registry: MetricsRegistry,
  read: () => Promise<readonly NightlySeen[]>,
  libraries: number,
  now: () => number,
): void {
  const isDetailed = areInDetail(libraries);
  const readOnce = sharedRead(READ_MS, read, 'reading the schedules', isDetailed ? 0 : MANY_READ_MS);
  const age = (kind: NightlyKind, name: string, help: string): void =>
    createGauge(registry, { name, help, labels: ['library'] }, async () =>
      ((await readOnce()) ?? []).flatMap(({ kind: each, library, sinceMs, doneMs }) => {
        const seconds = Math.max(0, now() - Math.max(sinceMs, doneMs ?? 0)) / 1000;
        return each === kind && (isDetailed || seconds > A_DAY_S) ? [[{ library }, seconds] as const] : [];
      }),
    );
  age('sweep', 'passport_sweep_age_seconds', 'Age of the last sweep over the copies of a library that ended');
  age('owed', 'passport_owed_age_seconds', 'Age of the last reading of what the copies of a library owe');
  age(
    'loans',
    'passport_loans_age_seconds',
    'Age of the last counting of the loans of visitors at a library',
  );
}

/** `passport_setup_findings{library}`: the faults that the last nightly check of a set-up found; absent where there are none. */
export function setUpMetrics(
  registry: MetricsRegistry,
  read: () => Promise<ReadonlyMap<string, SetUpSeen>>,
): void {
  const readOnce = sharedRead(READ_MS, read, 'reading what the set-ups lack');
  createGauge(
    registry,
    {
      name: 'passport_setup_findings',
      help: "Faults that the last nightly check of a library's set-up found; absent where there are none",
      labels: ['library'],
    },
    async () =>
      [...((await readOnce()) ?? [])].flatMap(([library, seen]) => {
        const { length } = faultsOf(seen);
        return length === 0 ? [] : [[{ library }, length] as const];
      }),
  );
}
