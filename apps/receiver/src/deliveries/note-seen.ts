import { openSeenCopies } from '@passport/queue/copies';
import { type RedisInTime, callRedis } from './call-redis.ts';

/**
 * What becomes of a scan of a copy: noted, or ignored, since the library does not want it, the service has no record of such a copy or
 * too many were scanned, or Redis does not take it now.
 */
export type NoteSeen = (library: string, patronId: number) => Promise<'noted' | 'ignored' | 'unavailable'>;

/** Notes scans of copies for those libraries that have their copies refreshed at scans. */
export function buildNoteSeen(
  deps: RedisInTime & { readonly isWanted: (library: string) => boolean },
): NoteSeen {
  const task = { doing: 'noting a scan of a copy', failed: 'a scan of a copy was not noted' };
  const seen = openSeenCopies(deps.redis);
  return async (library, patronId) => {
    if (!deps.isWanted(library)) return 'ignored';
    return callRedis(deps, task, async () =>
      (await seen.note({ library, patron_id: patronId })) ? 'noted' : 'ignored',
    );
  };
}
