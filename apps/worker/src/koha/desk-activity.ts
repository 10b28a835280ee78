import type { Consortium } from '@passport/config';
import { librariesWithActiveScans } from '@passport/queue';
import type { Redis } from '@passport/runtime';

export interface DeskActivityDeps {
  readonly consortium: Pick<Consortium, 'agreements'>;
  readonly redis: Redis;
  /** Whether calls of this process are under way at a library, or wait there. */
  readonly isBusy: (library: string) => boolean;
}

/**
 * Whether a desk needs a library now, whichever worker serves it: calls of this process are under way there, or some worker has a scan
 * of this library's desk or of a desk that this library's patrons may stand at. Costs the sweep a look into Redis, and a scan nothing.
 */
export function buildDeskActivity({ consortium, redis, isBusy }: DeskActivityDeps) {
  return async (library: string): Promise<boolean> => {
    if (isBusy(library)) return true;
    const scanning = await librariesWithActiveScans(redis);
    if (scanning.has(library)) return true;
    const lenders = consortium.agreements.lendersOf(library);
    return [...scanning].some((lending) => lenders.has(lending));
  };
}
