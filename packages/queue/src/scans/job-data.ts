import type { JobData } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { backlogKey, failedKey, jobIdOf, jobKey, keptKey, outcomesKey, statisticsKey } from '../keys.ts';
import { IS_CANCELLED_LUA } from './cancel-marks.ts';
import { defineScript } from '../redis/index.ts';
import { STATISTICS_LUA, statisticsOf } from '../statistics/index.ts';

/** KEYS 1 job, 2 its lock; ARGV 1 lock token, 2 data */
const WRITE_ACTIVE_LUA = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 1
`;

/** KEYS 1 job, 2 its lock; ARGV 1 lock token, 2 data */
const WRITE_WANTED_LUA = `${IS_CANCELLED_LUA}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end
if isCancelled(KEYS[1]) then return 'cancelled' end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 'written'
`;

/** KEYS 1 job; ARGV 1 data with the end */
const WRITE_LOST_END_LUA = `
if redis.call('HEXISTS', KEYS[1], 'finishedOn') == 0 then return 0 end
local readable, present = pcall(cjson.decode, redis.call('HGET', KEYS[1], 'data') or '')
if not readable or type(present.progress) ~= 'table' then return 0 end
-- Left out as long as nobody has worked on it.
if present.progress.outcome ~= nil and present.progress.outcome ~= cjson.null then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[1])
return 1
`;

/**
 * KEYS 1 job, 2 failed jobs, 3 backlog, 4 kept failed events, 5 statistics that its end was counted in, 6 outcomes of that hour
 * ARGV 1 job id, 2 data as read, 3 new data, 4 now in ms, 5 event id, 6 what its end added to the statistics,
 *      7 its field among the outcomes
 */
const REOPEN_LUA = `${STATISTICS_LUA}
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
if redis.call('HGET', KEYS[1], 'data') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[5])
if redis.call('ZREM', KEYS[4], ARGV[5]) == 1 then
  uncount(KEYS[5], ARGV[6])
  if redis.call('HINCRBY', KEYS[6], ARGV[7], -1) <= 0 then redis.call('HDEL', KEYS[6], ARGV[7]) end
end
return 1
`;

/** KEYS 1 job; ARGV 1 data as read, 2 new data */
const REPLACE_LUA = `
if redis.call('HGET', KEYS[1], 'data') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 1
`;

/**
 * The only ways to change a job's data once the receiver has added the job. Each is one script that checks its condition
 * and writes; false: the condition does not hold, and nothing was written. BullMQ's `updateData` is not among them, since it
 * checks nothing: repeated after a lost connection, it would undo what somebody else has written since. Why the state of an
 * event is in the data of its job: docs/decisions/0025-event-in-job-data.md.
 */
export interface JobDataWriter {
  /** The worker that processes the job, during its run: only while `token` is the token of the job's lock (a fenced write). */
  writeActive(jobId: string, token: string, data: object): Promise<boolean>;
  /**
   * The same, unless the event's library has cancelled it (cancel-event.ts). What is sent to a Koha after a `written` was
   * wanted at the moment of the write, and whoever cancels after it reads the data that were written.
   */
  writeWanted(jobId: string, token: string, data: object): Promise<'written' | 'cancelled' | 'lost'>;
  /**
   * The worker that processed the job, after a lost connection: only if the job is finished and its data have no outcome, as
   * when the end was written to a Redis that is no more and BullMQ finished the job in the next one (docs/decisions/0014-sentinel-and-wait.md).
   */
  writeLostEnd(jobId: string, data: object): Promise<boolean>;
  /**
   * An operator who retries the event, just before BullMQ moves the job: only if the job is failed and its data are still
   * `before`. The event is unfinished again, and counts once more only when it ends again.
   */
  reopen(
    event: Pick<JobData, 'library' | 'event_id' | 'progress'>,
    before: unknown,
    after: object,
    nowMs: number,
  ): Promise<boolean>;
  /** Maintenance, which removes the items of failed jobs: in whatever state the job is, if its data are still `before`, as text. */
  replace(jobId: string, before: string, after: object): Promise<boolean>;
}

const HOUR_LENGTH = 'YYYY-MM-DDTHH'.length;

/** A writer on this connection. Of an active job it must be the connection that BullMQ uses (docs/decisions/0014-sentinel-and-wait.md). */
export function buildJobDataWriter(redis: Redis): JobDataWriter {
  const writeActive = defineScript(redis, 'passportWriteActive', WRITE_ACTIVE_LUA);
  const writeWanted = defineScript(redis, 'passportWriteWanted', WRITE_WANTED_LUA);
  const writeLostEnd = defineScript(redis, 'passportWriteLostEnd', WRITE_LOST_END_LUA);
  const reopen = defineScript(redis, 'passportReopen', REOPEN_LUA);
  const replace = defineScript(redis, 'passportReplace', REPLACE_LUA);
  return {
    async writeActive(jobId, token, data) {
      const key = jobKey(jobId);
      return (await writeActive([key, `${key}:lock`], [token, JSON.stringify(data)])) === 1;
    },
    async writeWanted(jobId, token, data) {
      const key = jobKey(jobId);
      const result = await writeWanted([key, `${key}:lock`], [token, JSON.stringify(data)]);
      return result as 'written' | 'cancelled' | 'lost';
    },
    writeLostEnd: async (jobId, data) => (await writeLostEnd([jobKey(jobId)], [JSON.stringify(data)])) === 1,
    async reopen({ library, event_id: eventId, progress }, before, after, nowMs) {
      const jobId = jobIdOf(library, eventId);
      const { month, counted } = statisticsOf({ progress });
      const kept = keptKey('failed', library);
      const counts = [statisticsKey(month, library), outcomesKey(progress.updated_at.slice(0, HOUR_LENGTH))];
      const keys = [jobKey(jobId), failedKey, backlogKey(library), kept, ...counts];
      const texts = [JSON.stringify(before), JSON.stringify(after)];
      return (
        (await reopen(keys, [jobId, ...texts, nowMs, eventId, counted, `${library} ${progress.outcome}`])) ===
        1
      );
    },
    replace: async (jobId, before, after) =>
      (await replace([jobKey(jobId)], [before, JSON.stringify(after)])) === 1,
  };
}
