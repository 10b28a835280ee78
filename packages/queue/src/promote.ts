import type { Job } from 'bullmq';
import { hasMoved } from './bullmq-error.ts';

/** A job that could not be promoted a moment ago: about to be delayed, or delayed in between. */
const IS_DELAYED_OR_ABOUT_TO: ReadonlySet<string> = new Set(['active', 'delayed']);

/** Makes a delayed job due at once. `gone`: somebody else was faster, or it was due already. `not_yet`: it is only about to be delayed. */
export async function promote(job: Job | undefined): Promise<'promoted' | 'gone' | 'not_yet'> {
  if (job === undefined) return 'gone';
  try {
    await job.promote();
    return 'promoted';
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return IS_DELAYED_OR_ABOUT_TO.has(await job.getState()) ? 'not_yet' : 'gone';
  }
}
