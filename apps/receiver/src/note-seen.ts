import { type RefreshJobs, queueRefresh } from '@passport/queue';
import { type RedisInTime, callRedis } from './call-redis.ts';

/** What becomes of a scan of a copy: noted, of no interest to the library or one too many, or Redis does not take it now. */
export type NoteSeen = (library: string, patronId: number) => Promise<'noted' | 'ignored' | 'unavailable'>;

/** Notes scans of copies for those libraries that have their copies refreshed at scans. */
export function buildNoteSeen(
  deps: RedisInTime & {
    readonly queue: RefreshJobs;
    readonly isWanted: (library: string) => boolean;
  },
): NoteSeen {
  const task = { doing: 'noting a scan of a copy', failed: 'a scan of a copy was not noted' };
  return async (library, patronId) => {
    if (!deps.isWanted(library)) return 'ignored';
    return callRedis(deps, task, async () =>
      (await queueRefresh(deps.queue, { library, patron_id: patronId })) ? 'noted' : 'ignored',
    );
  };
}
