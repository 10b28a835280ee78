import type { Redis } from '@passport/runtime';
import { IN_LINE_MS, type PlaceOwner, TAKE_PLACE_LUA } from './create-place.ts';
import { IS_CANCELLED_LUA } from '../scans/index.ts';
import { copyOfHomeKey, createPlaceKeys, jobKey, patronLockKey } from '../keys.ts';
import { OWNED_LOCK_LUA } from './owned-lock.ts';
import { defineScript } from '../redis/index.ts';

/**
 * All or nothing: the patron lock, the place where the library's copies are created, and the note in the job of what is about
 * to be sent. Whoever does not get the place stays in line for it; whoever has to wait for the patron lock, is cancelled, or finds that
 * the copy is on record already, does not.
 * KEYS 1 job, 2 its lock, 3 patron lock, 4 place, 5 line, 6 copies on record by home key
 * ARGV 1 token of the job's lock, 2 data, 3 run that gets the patron lock, 4 its life in ms, 5 home key or '', then what takePlace wants
 */
const CLAIM_LUA = `${OWNED_LOCK_LUA}${TAKE_PLACE_LUA}${IS_CANCELLED_LUA}
local event = ARGV[6]
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
if isCancelled(KEYS[1]) then
  redis.call('HDEL', KEYS[5], event)
  return 'cancelled'
end
if ARGV[5] ~= '' and redis.call('HEXISTS', KEYS[6], ARGV[5]) == 1 then
  redis.call('HDEL', KEYS[5], event)
  return 'on_record'
end
if not lockIsFree(KEYS[3], event) then
  redis.call('HDEL', KEYS[5], event)
  return 'patron_busy'
end
if not takePlace(KEYS[4], KEYS[5], unpack(ARGV, 6)) then return 'place_busy' end
takeLock(KEYS[3], event, ARGV[3], ARGV[4])
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 'taken'
`;

/** What a job needs before it may create a copy, beside the lock of the job itself. */
export interface CreateClaim {
  /** The lending library. */
  readonly library: string;
  readonly owner: PlaceOwner;
  readonly placeLifeMs: number;
  /** Nothing is taken where a copy of this home key is on record at the library; null: whether one is there was looked up at its Koha. */
  readonly unlessCopyOf: string | null;
  /** Of the same event. */
  readonly patronLock: { readonly name: string; readonly run: string; readonly lifeMs: number };
}

/** `lost`: the job is another run's by now. `on_record`: look for the copy before it is sent again. Only with `taken` anything was taken, or written. */
export type ClaimResult = 'taken' | 'on_record' | 'place_busy' | 'patron_busy' | 'cancelled' | 'lost';

/** Takes a claim and writes `data` into the active job, in one round trip and only together. */
export type ClaimCreate = (
  job: { readonly id: string; readonly token: string; readonly data: object },
  claim: CreateClaim,
) => Promise<ClaimResult>;

/** On the connection that BullMQ uses, as all that is written into an active job (docs/decisions/0014-sentinel-and-wait.md). */
export function buildClaimCreate(redis: Redis): ClaimCreate {
  const claim = defineScript(redis, 'passportClaimCreate', CLAIM_LUA);
  return async ({ id, token, data }, { library, owner, placeLifeMs, unlessCopyOf, patronLock }) => {
    const key = jobKey(id);
    const places = [...createPlaceKeys(library), copyOfHomeKey(library)];
    const keys = [key, `${key}:lock`, patronLockKey(patronLock.name), ...places];
    const forPlace = [owner.event, owner.run, owner.sinceMs, placeLifeMs, IN_LINE_MS];
    const forLock = [patronLock.run, patronLock.lifeMs, unlessCopyOf ?? ''];
    return (await claim(keys, [token, JSON.stringify(data), ...forLock, ...forPlace])) as ClaimResult;
  };
}
