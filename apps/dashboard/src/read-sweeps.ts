import type { Library } from '@passport/config';
import { type SweepState, readSweep } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** The sweeps over the copies of one lending library: the last one, and the last dry run. */
export interface LibrarySweeps {
  readonly library: string;
  readonly sweep: SweepState | null;
  readonly dryRun: SweepState | null;
}

/** Reads the reports of all lending libraries that are swept every night, or once were. */
export async function readSweeps(
  redis: Redis,
  libraries: readonly Pick<Library, 'id' | 'refresh'>[],
): Promise<readonly LibrarySweeps[]> {
  const all = await Promise.all(
    libraries.map(async ({ id: library, refresh }) => {
      const [sweep, dryRun] = await Promise.all([
        readSweep(redis, library, false),
        readSweep(redis, library, true),
      ]);
      return { library, sweep, dryRun, isScheduled: (refresh?.sweep ?? null) !== null };
    }),
  );
  return all.filter(({ sweep, dryRun, isScheduled }) => isScheduled || sweep !== null || dryRun !== null);
}
