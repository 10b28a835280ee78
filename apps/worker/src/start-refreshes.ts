import { readSchedules, startAudit } from '@passport/queue';
import type { Logger } from '@passport/runtime';
import { startTasks } from './maintenance/start-tasks.ts';
import { nightlyMetrics } from './metrics/nightly-metrics.ts';
import { startSeenWorker } from './sweep/seen-worker.ts';
import { startSweepWorker } from './sweep/sweep-worker.ts';
import type { WorkContext } from './work-context.ts';

const KEEP_ACTS_EVERY_MS = 5_000;
const KEEP_ACTS_LAST_MS = 500;
/** A time of day is a minute, and this a small part of it. */
const NIGHTS_EVERY_MS = 5_000;

/** What keeps copies right: all of them at their time, and each at its scan. */
export async function startRefreshes(context: WorkContext): Promise<void> {
  const { config, connections, kohas, receipts, sources, lifecycle, metrics, now } = context;
  const { consortium, keys } = config;
  const deps = {
    ...kohas,
    ...sources,
    ...connections,
    receipts,
    consortium,
    keys,
    now,
    log: auditLog(context),
  };
  nightlyMetrics(metrics, () => readSchedules(connections.redis), consortium.libraries.length, now);
  const sweeps = await startSweepWorker(deps);
  lifecycle.own('sweeps', () => sweeps.close());
  const nights = startTasks(
    [{ name: 'nights', everyMs: NIGHTS_EVERY_MS, work: () => sweeps.queueNights() }],
    deps.log,
  );
  lifecycle.own('nights', () => nights.close());
  const atScans = startSeenWorker(deps);
  lifecycle.own('refreshes at scans', () => atScans.close());
}

/** The log of what the service does by itself; scans have their history instead. */
function auditLog({ connections: { redis }, sources, lifecycle, log }: WorkContext): Logger {
  return startAudit({
    redis,
    source: 'worker',
    everyMs: KEEP_ACTS_EVERY_MS,
    closeWithinMs: KEEP_ACTS_LAST_MS,
    monotonicNow: sources.monotonicNow,
    lifecycle,
    log,
  });
}
