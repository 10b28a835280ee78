import { translateRedisError } from '@passport/runtime';
import type { WorkContext } from '../work-context.ts';

export type EndCheck = ReturnType<typeof buildEndCheck>;

const RETRY_EVERY_MS = 500;
/** A Redis that is away for longer than this has lost more than one end. */
const MOST_TRIES = 60;

/**
 * Builds what writes the end of a finished job again where a lost connection may have lost it.
 * When a master dies between the end of a job and its finishing, BullMQ's command is sent again to the new master. There
 * the job may still be active, and is finished without the end that only the old one had. Costs nothing as long as no
 * connection is lost in between.
 */
export function buildEndCheck({
  breaks,
  pause,
  deadline,
  log,
}: Pick<WorkContext, 'breaks' | 'pause' | 'deadline' | 'log'>) {
  const ends = new WeakMap<object, { readonly breaks: number; again(): Promise<void> }>();
  const underWay = new Set<Promise<void>>();

  const writeAgain = async (again: () => Promise<void>): Promise<void> => {
    for (let tries = 1; tries <= MOST_TRIES && !deadline.aborted; tries += 1) {
      try {
        return await again();
      } catch (error) {
        if (translateRedisError(error).kind === 'bug') {
          return log.error({ error }, 'the end of a job was not written again');
        }
        await pause(RETRY_EVERY_MS);
      }
    }
  };

  return {
    /** Called before the end of a job is written; `again` writes all of it once more, to wherever Redis is by then. */
    writing: (job: object, again: () => Promise<void>): void =>
      void ends.set(job, { breaks: breaks(), again }),
    /** BullMQ has finished the job. */
    finished(job: object): void {
      const end = ends.get(job);
      ends.delete(job);
      if (end === undefined || end.breaks === breaks()) return;
      const written = writeAgain(() => end.again()).finally(() => underWay.delete(written));
      underWay.add(written);
    },
    /** Resolves when nothing is being written again. */
    settled: async (): Promise<void> => void (await Promise.all(underWay)),
  };
}
