import type { Redis } from '@passport/runtime';
import { jobKey } from './keys.ts';
import { defineScript } from './script.ts';

/** KEYS 1 job, 2 its lock; ARGV 1 lock token, 2 data */
const WRITE_LUA = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 1
`;

/** Sets the data of an active job; false, and nothing written, when `token` is not the token of its lock. */
export type FencedWrite = (jobId: string, token: string, data: object) => Promise<boolean>;

/**
 * BullMQ's own `updateData` looks at no lock: sent again after a lost connection, it would undo what another worker has
 * written since.
 */
export function buildFencedWrite(redis: Redis): FencedWrite {
  const write = defineScript(redis, 'passportFencedWrite', WRITE_LUA);
  return async (jobId, token, data) => {
    const key = jobKey(jobId);
    return (await write([key, `${key}:lock`], [token, JSON.stringify(data)])) === 1;
  };
}
