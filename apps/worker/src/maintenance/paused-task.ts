import { type ScanJobs, promotePaused } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import type { PauseLeft } from '../koha/pause-left.ts';
import type { Task } from './start-tasks.ts';

/** A desk waits, and a round finds nothing with one command. */
const EVERY_MS = 250;

/** Promotes what waited for pauses that are over. */
export const pausedTask = (redis: Redis, queue: ScanJobs, pauseLeft: PauseLeft): Task => ({
  name: 'promote paused',
  everyMs: EVERY_MS,
  work: () => promotePaused(redis, queue, (library, side) => pauseLeft(library, side) !== null),
});
