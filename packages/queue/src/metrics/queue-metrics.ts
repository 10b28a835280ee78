import { type MetricsRegistry, type Samples, areInDetail, createGauge, sharedRead } from '@passport/runtime';
import type { QueueFigures } from '../scans/index.ts';

type Figures = Readonly<Record<string, number>>;

const READ_MS = 1_500;

/**
 * `passport_queue_jobs{state}`, `passport_queue_oldest_seconds`, `passport_library_backlog{library}`,
 * `passport_library_backlog_limit{library}` and `passport_redis_up`, read at each scrape, once for all of them. When the
 * queue cannot be read in time `passport_redis_up` is 0 and its figures are absent; the other metrics of the process are
 * still there.
 */
export function queueMetrics(
  registry: MetricsRegistry,
  read: () => Promise<QueueFigures>,
  backlogLimits: Figures,
): void {
  const readOnce = sharedRead(READ_MS, read, 'reading the queue');
  const isDetailed = areInDetail(Object.keys(backlogLimits).length);
  const readBacklogs = async () => (await readOnce())?.backlogs ?? {};
  const ofLibraries = (figures: Figures, backlogs: Figures): Samples<'library'> =>
    Object.entries(figures).flatMap(([library, value]) =>
      isDetailed || (backlogs[library] ?? 0) > 0 ? [[{ library }, value] as const] : [],
    );
  createGauge(
    registry,
    { name: 'passport_queue_jobs', help: 'Jobs in the queue, by state', labels: ['state'] },
    async () => Object.entries((await readOnce())?.jobs ?? {}).map(([state, value]) => [{ state }, value]),
  );
  createGauge(
    registry,
    { name: 'passport_queue_oldest_seconds', help: 'Age of the oldest job that is not finished' },
    async () => {
      const reading = await readOnce();
      return reading === null ? [] : [[{}, reading.oldestSeconds]];
    },
  );
  createGauge(
    registry,
    { name: 'passport_library_backlog', help: 'Unfinished events of a library', labels: ['library'] },
    async () => {
      const backlogs = await readBacklogs();
      return ofLibraries(backlogs, backlogs);
    },
  );
  createGauge(
    registry,
    {
      name: 'passport_library_backlog_limit',
      help: 'Maximum number of unfinished events of a library (limits.backlog)',
      labels: ['library'],
    },
    async () => ofLibraries(backlogLimits, await readBacklogs()),
  );
  createGauge(
    registry,
    {
      name: 'passport_redis_up',
      help: '1 if this process could read the queue at this scrape, else 0',
    },
    async () => [[{}, (await readOnce()) === null ? 0 : 1]],
  );
}
