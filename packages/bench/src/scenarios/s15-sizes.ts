import { readdir, stat } from 'node:fs/promises';
import { waitFor } from '@passport/testkit';
import { preciseNow, residentMb } from '../figures.ts';
import { scanAll, startConsortium, type Consortium } from '../many-libraries.ts';
import { usedBytes } from '../redis-figures.ts';
import { sizeRows, type Figures, type Measured } from '../row.ts';
import type { Run } from '../scenario.ts';
import { firstOf } from '../start-stack.ts';

/** Of docs/scale.md; the first is what the others are compared with. */
const SIZES = [50, 500, 2_000] as const;
const SMOKE_SIZES = [10, 20] as const;
/** Kohas answer after so long, and so many scans are under way at once. */
const LATENCY_MS = 50;
const AT_ONCE = 50;
const RELOAD_MS = 60_000;

const LOOK_MS = 50;
/** A process writes this line at each reload. */
const LOADED = 'configuration loaded';

/** What installations of the sizes in docs/scale.md need, once each of their libraries has scanned a visitor's card. */
export async function measureSizes(run: Run): Promise<readonly Measured[]> {
  const sizes: readonly number[] = run.isQuick ? SMOKE_SIZES : SIZES;
  const measured = new Map<number, Figures>();
  for (const libraries of sizes) {
    run.progress(`${libraries} libraries`);
    measured.set(libraries, await measureSize(libraries));
  }
  return sizeRows(measured);
}

async function measureSize(libraries: number): Promise<Figures> {
  const consortium = await startConsortium(libraries, libraries, { latencyMs: LATENCY_MS });
  const { stack } = consortium;
  const { worker, receiver } = stack;
  try {
    const dashboard = firstOf(await stack.services.add('dashboard'));
    const emptyBytes = await usedBytes(stack.redis);
    const startedAt = preciseNow();
    await scanAll(consortium, AT_ONCE);
    const seconds = (preciseNow() - startedAt) / 1_000;
    const redisBytes = await usedBytes(stack.redis);
    const readAt = preciseNow();
    const metrics = await worker.metrics();
    const metricsMs = preciseNow() - readAt;
    const file = await stat(stack.services.env['PASSPORT_CONFIG'] ?? '');
    return new Map([
      ['size of the configuration file', [file.size / 1_024, 'KB']],
      ['scans of all libraries, each once', [libraries / seconds, 'events/s']],
      ['memory of the receiver', [await residentMb(receiver.pid), 'MB']],
      ['memory of the worker', [await residentMb(worker.pid), 'MB']],
      ['memory of the dashboard', [await residentMb(dashboard.pid), 'MB']],
      ['open files of the worker', [(await readdir(`/proc/${worker.pid}/fd`)).length, 'files']],
      ["size of the worker's /metrics", [Buffer.byteLength(metrics) / 1_024, 'KB']],
      ["the worker's /metrics", [metricsMs, 'ms']],
      ['memory of Redis', [redisBytes / 1_024 ** 2, 'MB']],
      ['memory of Redis for an event', [(redisBytes - emptyBytes) / libraries, 'bytes']],
      ...(await measureChanges(consortium)),
    ]);
  } finally {
    await stack.stop();
  }
}

/** A reload and a restart of the worker. */
async function measureChanges({
  stack: { worker, services },
}: Consortium): Promise<[string, [number, string]][]> {
  const loads = async (): Promise<number> => (await services.logs()).split(LOADED).length;
  const before = await loads();
  const requestedAt = preciseNow();
  worker.signal('SIGHUP');
  await waitFor('the reload', async () => (await loads()) > before, {
    timeoutMs: RELOAD_MS,
    everyMs: LOOK_MS,
  });
  const reloadMs = preciseNow() - requestedAt;
  await worker.kill();
  const startedAt = preciseNow();
  await worker.restart();
  return [
    ['reload of the worker', [reloadMs, 'ms']],
    ['worker ready', [preciseNow() - startedAt, 'ms']],
  ];
}
