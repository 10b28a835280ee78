import type { Redis } from '@passport/runtime';
import { execAll, defineScript } from './commands.ts';
import { QUEUE_PREFIX, idempotencyKey, jobIdOf, jobKey } from '../keys.ts';

const MARK_KEY = `${QUEUE_PREFIX}:mark`;
const MARK_LIFE_MS = 60_000;

/**
 * Whether this Redis has each event: its job is there, or its idempotency key says that it has ended.
 * KEYS idempotency key and job of each event, alternating. Answers 1 for all, else 0.
 */
const PRESENT_LUA = `
for index = 1, #KEYS, 2 do
  local record = redis.call('GET', KEYS[index])
  local ended = record and string.match(record, '^%S+ (%S)') == 'd'
  if not ended and redis.call('EXISTS', KEYS[index + 1]) == 0 then return 0 end
end
return 1
`;

/** Whether enough replicas have these events, all of which were admitted and added on the same connection. */
export type ReplicaCheck = (
  events: readonly { readonly library: string; readonly eventId: string }[],
) => Promise<boolean>;

/**
 * Waits at most `waitMs` until `minReplicas` replicas have what was written. The connection may have been made anew
 * to another master since then, one that never saw the events: WAIT alone would be content with that, so a mark is
 * written first on the same connection as the WAIT, and the events are looked up after it.
 */
export function buildReplicaCheck(redis: Redis, minReplicas: number, waitMs: number): ReplicaCheck {
  const arePresent = defineScript(redis, 'passportPresent', PRESENT_LUA);
  return async (events) => {
    const mark = redis.pipeline().set(MARK_KEY, '1', 'PX', MARK_LIFE_MS);
    const [, replicas] = await execAll(mark.wait(minReplicas, waitMs));
    if (Number(replicas ?? 0) < minReplicas) return false;
    const keys = events.flatMap(({ library, eventId }) => [
      idempotencyKey(library, eventId),
      jobKey(jobIdOf(library, eventId)),
    ]);
    return (await arePresent(keys, [])) === 1;
  };
}
