import { type Logger, translateRedisError } from '@passport/runtime';

/** Something done again and again beside the jobs. */
export interface Chore {
  readonly name: string;
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
}

/**
 * Does each chore at its pace, never twice at the same time. A chore that fails is done again at its next turn; Redis's
 * own trouble is told by the connection, once.
 */
export function startHousekeeping(chores: readonly Chore[], log: Logger): { close(): Promise<void> } {
  const running = new Set<Promise<void>>();
  const timers = chores.map(({ name, everyMs, work }) => {
    let isBusy = false;
    const turn = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (translateRedisError(error).kind === 'bug') log.error({ chore: name, error }, 'a chore failed');
      } finally {
        isBusy = false;
      }
    };
    return setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      const done = turn().finally(() => running.delete(done));
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
