import type { NightlyKind, NightlySeen } from '@passport/queue';
import { type MetricsRegistry, areInDetail, createGauge, sharedRead } from '@passport/runtime';

const READ_MS = 1_500;
/** Of many libraries only those are shown that have waited longer than a day. */
const A_DAY_S = 25 * 3_600;

/**
 * `passport_sweep_age_seconds{library}` and `passport_owed_age_seconds{library}`: how long ago the last one of what is done every day
 * ended, or since when it should have been done if none has. By these an alert names the library whose nights are lost.
 */
export function nightlyMetrics(
  registry: MetricsRegistry,
  read: () => Promise<readonly NightlySeen[]>,
  libraries: number,
  now: () => number,
): void {
  const isDetailed = areInDetail(libraries);
  const readOnce = sharedRead(READ_MS, read, 'reading the schedules');
  const age = (kind: NightlyKind, name: string, help: string): void =>
    createGauge(registry, { name, help, labels: ['library'] }, async () =>
      ((await readOnce()) ?? []).flatMap(({ kind: each, library, sinceMs, doneMs }) => {
        const seconds = Math.max(0, now() - Math.max(sinceMs, doneMs ?? 0)) / 1000;
        return each === kind && (isDetailed || seconds > A_DAY_S) ? [[{ library }, seconds] as const] : [];
      }),
    );
  age('sweep', 'passport_sweep_age_seconds', 'Age of the last sweep over the copies of a library that ended');
  age('owed', 'passport_owed_age_seconds', 'Age of the last reading of what the copies of a library owe');
}
