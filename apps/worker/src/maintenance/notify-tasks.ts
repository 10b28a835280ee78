import type { Library } from '@passport/config';
import { readCertificateExpiry } from '@passport/koha-client';
import { WATCH_EVERY_MS, buildLook, buildNotifier, isWanted, workerObservation } from '@passport/notify';
import { readCertificates, writeCertificate } from '@passport/queue/notices';
import type { MetricsRegistry } from '@passport/runtime';
import type { Task } from './start-tasks.ts';
import type { WorkContext } from '../work-context.ts';

/** What notifies operators beside the jobs; nothing where nobody wants to be notified. */
export function notifyTasks(
  deps: WorkContext & {
    readonly metrics: MetricsRegistry;
    /** Ends what is being sent; another process sends it again. */
    readonly signal: AbortSignal;
  },
): readonly Task[] {
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

const EVERY_MS = 10_000;
/** A thousand libraries are read within an hour of the first start. */
const MOST_AT_ONCE = 3;
/** Once a certificate was read it is read twice a day, else hourly. */
const AGAIN_MS = 12 * 3_600_000;
const AGAIN_UNSEEN_MS = 3_600_000;

/**
 * Reads until when certificates are valid, over connections of its own that send nothing: a library that nobody scans at for weeks
 * is notified of in time, too, and no scan has to do with it.
 */
export function certificatesTask({
  libraries,
  redis,
  pauseLeft,
  now,
}: Pick<WorkContext, 'redis' | 'pauseLeft' | 'now'> & { readonly libraries: readonly Library[] }): Task {
  const work = async (): Promise<void> => {
    const seen = await readCertificates(redis);
    const isDue = ({ id }: Library): boolean => {
      const before = seen.get(id);
      const againMs = before?.until_ms === null ? AGAIN_UNSEEN_MS : AGAIN_MS;
      return before === undefined || now() - before.at_ms >= againMs;
    };
    const isPaused = ({ id }: Library): boolean =>
      pauseLeft(id, 'home') !== null || pauseLeft(id, 'lending') !== null;
    const due = libraries.filter((library) => isDue(library) && !isPaused(library)).slice(0, MOST_AT_ONCE);
    await Promise.all(due.map((library) => readOne(library, seen.get(library.id)?.until_ms ?? null)));
  };
  const readOne = async ({ id, koha }: Library, knownMs: number | null): Promise<void> => {
    // First, so that other workers leave it alone.
    await writeCertificate(redis, id, { until_ms: knownMs, at_ms: now() });
    const expiry = await readCertificateExpiry(koha.url, { timeoutMs: koha.timeoutMs });
    const validUntilMs = 'validUntilMs' in expiry ? expiry.validUntilMs : null;
    if (validUntilMs !== null) await writeCertificate(redis, id, { until_ms: validUntilMs, at_ms: now() });
  };
  return { name: 'certificates', everyMs: EVERY_MS, work };
}
