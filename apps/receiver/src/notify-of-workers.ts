import type { Consortium } from '@passport/config';
import {
  type Notifier,
  WATCH_EVERY_MS,
  buildNotifier,
  buildOutageNotifier,
  workerObservation,
} from '@passport/notify';
import {
  type Logger,
  type MetricsRegistry,
  type Redis,
  answersNow,
  translateRedisError,
  within,
} from '@passport/runtime';

/** A Redis that is frozen keeps its connections, and answers nothing. */
const ANSWER_MS = 2_000;

/** Notifies operators while no worker, or no Redis, is there to do it: that none is, and of what was left to be sent. */
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
  readonly answerMs?: number;
  readonly log: Logger;
}): WorkerNotifier {
  const { redis, hasWorker, everyMs = WATCH_EVERY_MS, answerMs = ANSWER_MS, log } = deps;
  const stopping = new AbortController();
  let notifier: Notifier | null = null;
  let noteOutage: ReturnType<typeof buildOutageNotifier> | null = null;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    try {
      const isAnswering = await within(answerMs, answersNow(redis), 'an answer of Redis').catch(() => false);
      await noteOutage?.(isAnswering);
      if (notifier === null || !isAnswering || (await hasWorker())) return;
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
      const sending = { ...deps, consortium, fetch, signal: stopping.signal };
      notifier = buildNotifier({ ...sending, metrics });
      noteOutage = buildOutageNotifier(sending);
    },
    async close() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
