import { QUEUE_PREFIX } from '@passport/queue/keys';
import { type Logger, type Redis, translateRedisError } from '@passport/runtime';

const PROBE_MS = 500;

/**
 * With Redis full an idle worker polls thousands of times a second: it is paused until Redis takes writes.
 */
export function buildPauseWhileFull(
  worker: { pause(doNotWaitActive: boolean): Promise<void>; resume(): Promise<void> },
  redis: Redis,
  log: Logger,
) {
  let probe: NodeJS.Timeout | undefined;
  let isClosed = false;
  const resume = (): void => {
    clearInterval(probe);
    probe = undefined;
    if (isClosed) return;
    void worker.resume();
    log.info({ redis: 'full' }, 'Redis takes writes again');
  };
  const tryAgain = (): void => {
    redis.set(`${QUEUE_PREFIX}:probe`, '1', 'PX', PROBE_MS).then(resume, () => undefined);
  };
  return {
    /** Must be called with every error that may come from Redis. */
    hear(error: unknown): void {
      if (translateRedisError(error).kind !== 'full' || probe !== undefined || isClosed) return;
      log.error({ redis: 'full' }, 'Redis is full: taking no jobs until it takes writes');
      void worker.pause(true);
      probe = setInterval(tryAgain, PROBE_MS);
    },
    /** Stops for good. */
    close(): void {
      isClosed = true;
      clearInterval(probe);
    },
  };
}
