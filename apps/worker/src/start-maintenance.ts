import { queueMetrics, readKept, readQueue, readRedis, redisMetrics, retireHealth } from '@passport/queue';
import { type Redis, within } from '@passport/runtime';
import { startTasks } from './maintenance/start-tasks.ts';
import { notifyTasks } from './maintenance/notify-tasks.ts';
import { pausedTask } from './maintenance/paused-task.ts';
import { rememberTask } from './maintenance/remember-task.ts';
import { buildTasks } from './maintenance/tasks.ts';
import { type KeptReading, keptMetrics } from './metrics/kept-metrics.ts';
import type { WorkContext } from './work-context.ts';

const RETIRE_MS = 1_000;

/** What a worker does beside the jobs, as often as its time comes; and the metrics of the queue, which any worker may answer for. */
export function startMaintenance(context: WorkContext): void {
  const { config, connections, queue, reportQueue, kohas, memory, pauseLeft, metrics } = context;
  const { lifecycle, sources, now, log } = context;
  const { consortium } = config;
  const { redis } = connections;
  const dropped = observeQueue(context);
  const workerId = sources.newId();
  const ids = consortium.libraries.map(({ id }) => id);
  lifecycle.own('library health', () => retire(redis, ids, workerId));
  const tasks = startTasks(
    [
      ...buildTasks({ consortium, redis, queue, reportQueue, dropped, ...kohas, workerId, now, log }),
      rememberTask(consortium, memory, { ...kohas, ...sources }, sources.timings),
      pausedTask(redis, queue, pauseLeft),
      ...notifyTasks({ consortium, redis, metrics, sources, pauseLeft, signal: lifecycle.signal, now, log }),
    ],
    log,
  );
  lifecycle.own('maintenance', () => tasks.close());
}

/** Without it the next start would show what this process saw beside its own for minutes. Never worth a wait. */
const retire = (redis: Redis, ids: readonly string[], workerId: string): Promise<unknown> =>
  within(RETIRE_MS, retireHealth(redis, ids, workerId), 'retiring library health').catch(() => undefined);

function observeQueue({
  config,
  connections: { redis },
  queue,
  metrics,
  now,
}: WorkContext): ReturnType<typeof keptMetrics> {
  const { libraries } = config.consortium;
  const ids = libraries.map(({ id }) => id);
  const backlogLimits = Object.fromEntries(libraries.map(({ id, limits }) => [id, limits.backlog]));
  queueMetrics(metrics, () => readQueue(redis, queue, ids, now()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis));
  const keptLimits = libraries.map(
    ({ id, limits }) => [id, { finished: limits.keptFinished, failed: limits.keptFailed }] as const,
  );
  const readShares = async (): Promise<KeptReading> => {
    const [kept, { memoryLimitBytes }] = await Promise.all([readKept(redis, ids), readRedis(redis)]);
    return { libraries: kept, memoryLimitBytes };
  };
  return keptMetrics(metrics, readShares, Object.fromEntries(keptLimits));
}
