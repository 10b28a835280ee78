import type { CancelResult } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { MARK_CANCELLED_LUA, CANCELLED_AHEAD_LUA } from './cancel-marks.ts';
import { FOLLOWED_EVENT_LUA } from './followed-event.ts';
import {
  cancelledAheadKey,
  delayedJobsKey,
  idempotencyKey,
  idempotencyKeyPrefix,
  jobIdOf,
  jobKeyPrefix,
} from '../keys.ts';
import { promote } from '../bullmq/index.ts';
import type { ScanJobs } from './scan-queue.ts';
import { NOW_LUA, defineScript } from '../redis/index.ts';

/**
 * Cancels an event, or the first event's where it was coalesced, and says from the job's own data how far it has come. A
 * worker writes `sent` before a copy is sent and `made` before a checkout is sent, each in a script that finds the mark set
 * here (create-claim.ts, job-data.ts): whichever of the two scripts comes first, the other one knows of it.
 * KEYS 1 idempotency key, 2 delayed jobs, 3 those that were cancelled before they came; ARGV 1 prefix of the library's jobs, 2 prefix of their ids, 3 event id
 * Answers {'unknown'}, {'ahead'}, {'full'}, {'not_added'} or {result, event id, whether it is delayed: 0/1}
 */
const CANCEL_LUA = `${MARK_CANCELLED_LUA}${CANCELLED_AHEAD_LUA}${FOLLOWED_EVENT_LUA}${NOW_LUA}
-- copyMayBeThere of the contract: what was only searched for is nowhere.
local function mayBeThere(sent) return type(sent) == 'table' and sent.create ~= false end
local id, record = followedEvent(KEYS[1], ARGV[3])
local job, job_id = ARGV[1] .. id, ARGV[2] .. id
-- Between admission and the queue there is no job to mark; whoever admitted the event is about to add it.
local admitted = redis.call('GET', '${idempotencyKeyPrefix}' .. job_id) or ''
if redis.call('EXISTS', job) == 0 and string.find(admitted, '^%S+ %-') then return {'not_added'} end
local readable, data = pcall(cjson.decode, redis.call('HGET', job, 'data') or '')
if not readable or type(data) ~= 'table' or type(data.progress) ~= 'table' then
  if record or redis.call('EXISTS', job) == 1 then return {'unknown'} end
  return {rememberCancel(KEYS[3], ARGV[3], nowMs()) and 'ahead' or 'full'}
end
-- A copy without a time to look from is there, and no checkout of it can be on its way.
local has_made = type(data.made) == 'table'
local may_be_out = has_made and data.made.look_from_ms ~= nil
local has_sent = has_made or mayBeThere(data.sent)
for _, each in ipairs(type(data.sent_before) == 'table' and data.sent_before or {}) do has_sent = has_sent or mayBeThere(each) end
local outcome = data.progress.outcome
if outcome == 'CANCELLED' then return {has_sent and 'CHECKOUT_STOPPED' or 'NOTHING_WRITTEN', id, 0} end
if type(outcome) == 'string' then
  -- A person may retry what has failed, which BullMQ may have yet to move: for the library it is over all the same.
  markCancelled(job)
  return {'ENDED', id, 0}
end
markCancelled(job)
local is_delayed = redis.call('ZSCORE', KEYS[2], job_id) and 1 or 0
-- What a newer version notes, and when, is not known here.
if may_be_out or (data.v ~= 1 and data.v ~= 2) then return {'PENDING', id, is_delayed} end
return {has_sent and 'CHECKOUT_STOPPED' or 'NOTHING_WRITTEN', id, is_delayed}
`;

/**
 * What a cancel came to, and of which event; `not_added`: it was admitted, and cannot be cancelled until it is in the
 * queue; `ahead`: it has not come, and is cancelled should it come while that is remembered (cancel-marks.ts); `full`: it has not come, and so many cancels of
 * this library are remembered that this one cannot be; null: it has come, and nothing is known of it any more.
 */
export type Cancelled =
  { readonly result: CancelResult; readonly eventId: string } | 'not_added' | 'ahead' | 'full' | null;

/**
 * Cancels an event of this library: nothing more is written for it. Safe to repeat. One that waits is taken at once, so that
 * it ends and its desk is notified.
 */
export async function cancelEvent(
  redis: Redis,
  queue: ScanJobs,
  library: string,
  eventId: string,
): Promise<Cancelled> {
  const cancel = defineScript(redis, 'passportCancel', CANCEL_LUA);
  const ids = jobIdOf(library, '');
  const keys = [idempotencyKey(library, eventId), delayedJobsKey, cancelledAheadKey(library)];
  const [result, id, isDelayed] = (await cancel(keys, [`${jobKeyPrefix}${ids}`, ids, eventId])) as
    [CancelResult, string, 0 | 1] | ['unknown' | 'not_added' | 'ahead' | 'full'];
  if (result === 'not_added' || result === 'ahead' || result === 'full') return result;
  if (result === 'unknown' || id === undefined) return null;
  if (isDelayed === 1) await promote(await queue.getJob(jobIdOf(library, id)));
  return { result, eventId: id };
}
