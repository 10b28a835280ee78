import { openSeenCopies } from '@passport/queue/copies';
import { type RedisInTime, callRedis } from './call-redis.ts';

/**
 * What becomes of a scan of a copy: noted, or ignored, since the library does not want it, the service has no record of such a copy or
 * too many were scanned, or Redis does not take it now.
 */
export type NoteSeen = (library: string, patronId: number) => Promise<'noted' | 'ignored' | 'unavailable'>;

/** Notes scans of copies for those libraries that have their copies refreshed, or their standing checked, at scans. */
export function buildNoteSeen(
  deps: RedisInTime & {
    /** What a library wants: nothing, a refresh once a day, or a check at each visit. */
    readonly wantedAt: (library: string) => 'nothing' | 'each_day' | 'each_visit';
  },
): NoteSeen {
  const task = { doing: 'noting a scan of a copy', failed: 'a scan of a copy was not noted' };
  const seen = openSeenCopies(deps.redis);
  return async (library, patronId) => {
    const wanted = deps.wantedAt(library);
    if (wanted === 'nothing') return 'ignored';
    return callRedis(deps, task, async () =>
      (await seen.note({ library, patron_id: patronId }, wanted === 'each_visit')) ? 'noted' : 'ignored',
    );
  };
}
