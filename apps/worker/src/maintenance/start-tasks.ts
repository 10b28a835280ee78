import { type Logger, translateRedisError } from '@passport/runtime';

/** Something done again and again beside the jobs. */
export interface Task {
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
}

/**
 * Does each task at its pace, never twice at the same time. A task that fails is done again the next time; Redis's
 * own trouble is reported by the connection, once.
 */
export function startTasks(tasks: readonly Task[], log: Logger): { close(): Promise<void> } {
  const running = new Set<Promise<void>>();
  const timers = tasks.map(({ name, everyMs, work }) => {
    let isBusy = false;
    const run = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (translateRedisError(error).kind === 'bug')
          log.error({ task: name, error }, 'a maintenance task failed');
      } finally {
        isBusy = false;
      }
    };
    return setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      const done = run().finally(() => running.delete(done));
      running.add(done);
    }, everyMs);
  });
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running);
    },
  };
}
