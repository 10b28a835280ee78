import type { Consortium } from '@passport/config';
import { type Notifier, WATCH_EVERY_MS, buildNotifier, workerObservation } from '@passport/notify';
import { type Logger, type MetricsRegistry, type Redis, translateRedisError } from '@passport/runtime';

/** Notifies operators while no worker is there to do it: that none is, and of what was left to be sent. */
export interface WorkerNotifier {
  /** Takes over a configuration; `metrics` receives what it counts from now on. */
  use(consortium: Consortium, metrics: MetricsRegistry): void;
  close(): Promise<void>;
}

export function startWorkerNotifier(deps: {
  readonly redis: Redis;
  readonly hasWorker: () => Promise<boolean>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly random: () => number;
  readonly everyMs?: number;
  readonly log: Logger;
}): WorkerNotifier {
  const { redis, hasWorker, everyMs = WATCH_EVERY_MS, log } = deps;
  const stopping = new AbortController();
  let notifier: Notifier | null = null;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    try {
      if (notifier === null || redis.status !== 'ready' || (await hasWorker())) return;
      await notifier.watch(async () => [workerObservation(true)]);
      await notifier.send();
    } catch (error) {
      if (translateRedisError(error).kind === 'bug') log.error({ error }, 'notifying of workers failed');
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = null;
    });
  }, everyMs);
  return {
    use(consortium, metrics) {
      notifier = buildNotifier({ ...deps, consortium, metrics, fetch, signal: stopping.signal });
    },
    async close() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
