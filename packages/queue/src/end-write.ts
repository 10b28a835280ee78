import type { Redis } from '@passport/runtime';
import { jobKey } from './keys.ts';
import { defineScript } from './script.ts';

/** KEYS 1 job; ARGV 1 data with the end. Answers 1 when the job was finished without it and has it now. */
const END_LUA = `
if redis.call('HEXISTS', KEYS[1], 'finishedOn') == 0 then return 0 end
local readable, present = pcall(cjson.decode, redis.call('HGET', KEYS[1], 'data') or '')
if not readable or type(present.progress) ~= 'table' or present.progress.outcome ~= cjson.null then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[1])
return 1
`;

/** Gives a finished job the data of its end where they are missing; true when they were. */
export type EndWrite = (jobId: string, data: object) => Promise<boolean>;

/**
 * A job whose end was written to a Redis that is no more, and which BullMQ then finished in the one that took its place,
 * would say "queued" for ever and keep what was encrypted (docs/decisions/0022).
 */
export function buildEndWrite(redis: Redis): EndWrite {
  const write = defineScript(redis, 'passportEndWrite', END_LUA);
  return async (jobId, data) => (await write([jobKey(jobId)], [JSON.stringify(data)])) === 1;
}
