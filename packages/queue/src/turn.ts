import type { Redis } from '@passport/runtime';
import { QUEUE_PREFIX } from './keys.ts';
import { defineScript } from './script.ts';

/** Gives a turn back only to its holder: it may have run out and been taken by the next one. */
const RELEASE_LUA = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** Takes turns, across all worker processes. */
export interface Turns {
  /**
   * Takes the turn `name` for `holder` for at most `lifeMs`; null when somebody else has it. Returns the function
   * that gives it back. The holder must not rely on it past `lifeMs`.
   */
  take(name: string, holder: string, lifeMs: number): Promise<(() => Promise<void>) | null>;
}

/**
 * One key per turn with a life, in the one Redis that the jobs are in too (docs/decisions/0005: why no Redlock).
 */
export function openTurns(redis: Redis): Turns {
  const release = defineScript(redis, 'passportRelease', RELEASE_LUA);
  return {
    async take(name, holder, lifeMs) {
      const key = `${QUEUE_PREFIX}:turn:${name}`;
      const taken = await redis.set(key, holder, 'PX', lifeMs, 'NX');
      return taken === 'OK' ? async () => void (await release([key], [holder])) : null;
    },
  };
}
