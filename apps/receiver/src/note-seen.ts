import { type RefreshJobs, queueRefresh } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';

/** What becomes of a scan of a copy: noted, of no interest to the library or one too many, or Redis does not take it now. */
export type NoteSeen = (library: string, patronId: number) => Promise<'noted' | 'ignored' | 'unavailable'>;

/** Notes scans of copies for those libraries that have their copies refreshed at scans. */
export function buildNoteSeen(deps: {
  readonly redis: Redis;
  readonly queue: RefreshJobs;
  readonly isWanted: (library: string) => boolean;
  readonly deadlineMs: number;
  readonly log: Logger;
}): NoteSeen {
  const { redis, queue, isWanted, deadlineMs, log } = deps;
  return async (library, patronId) => {
    if (!isWanted(library)) return 'ignored';
    if (redis.status !== 'ready') return 'unavailable';
    try {
      const noted = queueRefresh(queue, { library, patron_id: patronId });
      return (await within(deadlineMs, noted, 'noting a scan of a copy')) ? 'noted' : 'ignored';
    } catch (error) {
      const failure = translateRedisError(error);
      if (failure.kind === 'bug') log.error({ error }, 'a scan of a copy was not noted');
      else log.warn({ redis: failure.kind, problem: failure.message }, 'a scan of a copy was not noted');
      return 'unavailable';
    }
  };
}
