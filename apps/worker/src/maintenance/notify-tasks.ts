import type { Consortium } from '@passport/config';
import { WATCH_EVERY_MS, buildLook, buildNotifier, isWanted, workerObservation } from '@passport/notify';
import type { Logger, MetricsRegistry, Redis } from '@passport/runtime';
import type { PauseLeft } from '../koha/pause-left.ts';
import { certificatesTask } from './certificates-task.ts';
import type { Task } from './start-tasks.ts';

/** What notifies operators beside the jobs; nothing where nobody wants to be notified. */
export function notifyTasks(deps: {
  readonly consortium: Consortium;
  readonly redis: Redis;
  readonly metrics: MetricsRegistry;
  readonly newId: () => string;
  readonly random: () => number;
  readonly pauseLeft: PauseLeft;
  /** Ends what is being sent; another process sends it again. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly log: Logger;
}): readonly Task[] {
  const { consortium, redis } = deps;
  const notifier = buildNotifier({ ...deps, fetch });
  if (notifier === null) return [];
  const look = buildLook(consortium, redis);
  const notify: Task = {
    name: 'notifications',
    everyMs: WATCH_EVERY_MS,
    async work() {
      await notifier.watch(async (nowMs) => [workerObservation(false), ...(await look(nowMs))]);
      await notifier.send();
    },
  };
  const libraries = consortium.libraries.filter(
    ({ id, enabled }) => enabled && isWanted(consortium.notify, 'certificate', id),
  );
  return libraries.length === 0 ? [notify] : [notify, certificatesTask({ ...deps, libraries })];
}
