import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Polls until `probe` returns something other than false, null or undefined, and returns that. A probe that throws
 * counts as not yet. Rejects after `timeoutMs` (10 s) with what was waited for and what was last seen.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<Exclude<Awaited<T>, false | null | undefined>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const end = performance.now() + timeoutMs;
  let seen: unknown;
  do {
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<Awaited<T>, false | null | undefined>;
      }
      seen = value;
    } catch (error) {
      seen = error;
    }
    await sleep(options.everyMs ?? 20);
  } while (performance.now() < end);
  const last = inspect(seen, { depth: 4, breakLength: 110 });
  throw new Error(`Waited ${timeoutMs} ms for ${what}. Last seen: ${last}`);
}
