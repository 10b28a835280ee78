import { PAUSE_SIDES, type Pauses } from '@passport/queue';
import { type MetricsRegistry, createGauge } from '@passport/runtime';

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
