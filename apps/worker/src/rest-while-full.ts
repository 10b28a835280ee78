import { QUEUE_PREFIX } from '@passport/queue';
import { type Logger, type Redis, translateRedisError } from '@passport/runtime';

const PROBE_MS = 500;

/**
 * With Redis full an idle worker asks again and again, thousands of times a second: it rests until Redis takes writes.
 * Returns what is to hear every error that may come from Redis.
 */
export function buildRest(
  worker: { pause(doNotWaitActive: boolean): Promise<void>; resume(): Promise<void> },
  redis: Redis,
  deadline: AbortSignal,
  log: Logger,
): (error: unknown) => void {
  let probe: NodeJS.Timeout | undefined;
  const tryAgain = (): void => {
    redis
      .set(`${QUEUE_PREFIX}:probe`, '1', 'PX', PROBE_MS)
      .then(() => {
        clearInterval(probe);
        probe = undefined;
        void worker.resume();
        log.info({ redis: 'full' }, 'Redis takes writes again');
      })
      .catch(() => undefined);
  };
  deadline.addEventListener('abort', () => clearInterval(probe));
  return (error) => {
    if (translateRedisError(error).kind !== 'full' || probe !== undefined || deadline.aborted) return;
    log.error({ redis: 'full' }, 'Redis is full: taking no jobs until it takes writes');
    void worker.pause(true);
    probe = setInterval(tryAgain, PROBE_MS);
  };
}
