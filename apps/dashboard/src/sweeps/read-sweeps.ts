import type { Library } from '@passport/config';
import { type NightlySeen, type SweepState, readSchedules, readSweep } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** The sweeps over the copies of one lending library: the last one, and the last dry run. */
export interface LibrarySweeps {
  readonly library: string;
  readonly sweep: SweepState | null;
  readonly dryRun: SweepState | null;
  /** Null where it is not swept every night. */
  readonly schedule: NightlySeen | null;
}

/** Reads the reports of all lending libraries that are swept every night, or once were. */
export async function readSweeps(
  redis: Redis,
  libraries: readonly Pick<Library, 'id' | 'refresh'>[],
): Promise<readonly LibrarySweeps[]> {
  const schedules = await readSchedules(redis);
  const all = await Promise.all(
    libraries.map(async ({ id: library, refresh }) => {
      const [sweep, dryRun] = await Promise.all([
        readSweep(redis, library, false),
        readSweep(redis, library, true),
      ]);
      const schedule = schedules.find((each) => each.kind === 'sweep' && each.library === library) ?? null;
      return { library, sweep, dryRun, schedule, isScheduled: (refresh?.sweep ?? null) !== null };
    }),
  );
  return all.filter(({ sweep, dryRun, isScheduled }) => isScheduled || sweep !== null || dryRun !== null);
}
