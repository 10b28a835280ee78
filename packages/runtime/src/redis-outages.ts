import type { EventEmitter } from 'node:events';
import type { Logger } from './logger.ts';
import { translateRedisError } from './redis-error.ts';

/**
 * Listens for errors of a connection (without a listener ioredis prints them itself) and logs an outage once when
 * it begins and once when Redis answers again: ioredis emits one error per attempt to connect. Where the other side closes
 * the connection in order there is no error, only that ioredis connects again.
 */
export function logRedisOutages(redis: EventEmitter, log: Logger, name: string): void {
  let since: number | null = null;
  const begin = (kind: string, problem: string): void => {
    if (since !== null) return;
    since = performance.now();
    log.warn({ redis: name, kind, problem }, 'Redis does not answer');
  };
  redis.on('error', (error: unknown) => {
    const { kind, message } = translateRedisError(error);
    begin(kind, message);
  });
  redis.on('reconnecting', () => begin('unavailable', 'Redis (connection): closed'));
  redis.on('ready', () => {
    if (since === null) return;
    log.info({ redis: name, outage_ms: Math.round(performance.now() - since) }, 'Redis answers again');
    since = null;
  });
}
