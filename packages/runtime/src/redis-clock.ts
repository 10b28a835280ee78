import type { Logger } from './logger.ts';
import { within } from './deadline.ts';
import type { Redis } from './redis.ts';
import { translateRedisError } from './redis-error.ts';

/** Time that all processes agree on. */
export interface RedisClock {
  /** Milliseconds since 1970 by Redis's clock. Throws when the clock was never measured. */
  now(): number;
  /** Measures now; rejects when Redis does not answer within two seconds. Called once before `now`. */
  start(): Promise<void>;
  close(): void;
}

const EVERY_MS = 5_000;
const ANSWER_MS = 2_000;
/** A slow answer says little about the time at its sending: half the round trip is the error. */
const GOOD_ROUND_TRIP_MS = 100;
/** At the start so many tries to get a good one. */
const FIRST_MEASURES = 3;
/** A Redis that is far away never has a good one: there, what is like the quickest so far counts. */
const LIKE_THE_QUICKEST = 1.5;

/** Without a key, a cluster's client sends TIME to any of its masters, and those have clocks of their own. */
const TIME_LUA = "return redis.call('TIME')";

/**
 * Milliseconds since 1970 by the clock of the Redis that holds `key` (which need not exist), to the microsecond. Rejects
 * with what Redis said.
 */
export async function readRedisTime(redis: Redis, key: string): Promise<number> {
  const [seconds, micros] = (await redis.eval(TIME_LUA, 1, key)) as [string, string];
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

/**
 * A clock by the `TIME` of the Redis that holds `key`, measured at the start and every five seconds and carried by
 * `monotonicNow` (milliseconds) in between, so that a step of this machine's wall clock does no harm. Without Redis it
 * runs on the last measure. In a cluster it is the clock by which the scripts on that key work, too.
 */
export function createRedisClock(
  redis: Redis,
  key: string,
  monotonicNow: () => number,
  options: { everyMs?: number; log?: Logger } = {},
): RedisClock {
  let offsetMs: number | null = null;
  let quickestMs = Infinity;
  let timer: NodeJS.Timeout | undefined;

  /** Resolves to whether the answer was quick enough to rely on. */
  async function measure(): Promise<boolean> {
    const sentAt = monotonicNow();
    const redisMs = await within(ANSWER_MS, readRedisTime(redis, key), 'TIME of Redis');
    const roundTripMs = monotonicNow() - sentAt;
    const isGood = roundTripMs <= GOOD_ROUND_TRIP_MS;
    if (isGood || roundTripMs <= quickestMs * LIKE_THE_QUICKEST)
      offsetMs = redisMs - (sentAt + roundTripMs / 2);
    quickestMs = Math.min(quickestMs, roundTripMs);
    return isGood;
  }

  let measuring = false;
  function remeasure(): void {
    if (measuring) return;
    measuring = true;
    measure()
      .catch((error: unknown) => {
        options.log?.debug({ problem: translateRedisError(error).message }, 'clock not measured');
      })
      .finally(() => {
        measuring = false;
      });
  }

  return {
    now() {
      if (offsetMs === null) throw new Error('The Redis clock was read before it was started');
      return Math.round(monotonicNow() + offsetMs);
    },
    async start() {
      let isGood = false;
      for (let tries = 0; tries < FIRST_MEASURES && !isGood; tries += 1) isGood = await measure();
      clearInterval(timer);
      timer = setInterval(remeasure, options.everyMs ?? EVERY_MS);
      timer.unref();
    },
    close() {
      clearInterval(timer);
    },
  };
}
