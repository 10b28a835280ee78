import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';

/** Redis as a request may use it: within this time, and never before the connection is up. */
export interface RedisInTime {
  readonly redis: Redis;
  readonly deadlineMs: number;
  readonly log: Logger;
  /** Writes that Redis did not answer, where not every time is to be written. */
  readonly warn?: (line: object, text: string) => void;
}

/** Awaits `work`; `unavailable` where Redis does not answer in time, which may have taken effect. `doing` and `failed` are for our log. */
export async function callRedis<T>(
  { redis, deadlineMs, log, warn = (line, text) => log.warn(line, text) }: RedisInTime,
  { doing, failed }: { readonly doing: string; readonly failed: string },
  work: () => Promise<T>,
): Promise<T | 'unavailable'> {
  if (redis.status !== 'ready') return 'unavailable';
  try {
    return await within(deadlineMs, work(), doing);
  } catch (error) {
    const failure = translateRedisError(error);
    if (failure.kind === 'bug') log.error({ error }, failed);
    else warn({ redis: failure.kind, problem: failure.message }, failed);
    return 'unavailable';
  }
}
