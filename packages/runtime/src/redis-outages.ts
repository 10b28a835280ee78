import type { EventEmitter } from 'node:events';
import type { Logger } from './logger.ts';
import { translateRedisError } from './redis-error.ts';

/**
 * Listens for errors of a connection (without a listener ioredis prints them itself) and logs an outage once when
 * it begins and once when Redis answers again: ioredis emits one error per attempt to connect.
 */
export function logRedisOutages(redis: EventEmitter, log: Logger, name: string): void {
  let since: number | null = null;
  redis.on('error', (error: unknown) => {
    if (since !== null) return;
    since = performance.now();
    const { kind, message } = translateRedisError(error);
    log.warn({ redis: name, kind, problem: message }, 'Redis does not answer');
  });
  redis.on('ready', () => {
    if (since === null) return;
    log.info({ redis: name, outage_ms: Math.round(performance.now() - since) }, 'Redis answers again');
    since = null;
  });
}
