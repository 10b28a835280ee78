import type { Consortium, WorkerConfig } from '@passport/config';
import {
  type FetchWatch,
  LenientWorker,
  REFRESHES,
  type Receipts,
  readCopyRecords,
  refreshSchema,
} from '@passport/queue';
import { type Logger, type Redis, createEncryption } from '@passport/runtime';
import type { Libraries } from '../koha/libraries.ts';
import { rethrowInCodes } from '../koha/koha-failure.ts';
import { type DeskActivityDeps, buildDeskActivity } from '../koha/desk-activity.ts';
import { buildPassOn } from './pass-on.ts';
import { refreshSeen } from './refresh-seen.ts';
import { type SweepCallDeps, buildSweepCalls } from '../koha/sweep-calls.ts';

/** Enough that a library that is slow keeps no other's copies waiting; each makes one call at a time. */
const AT_ONCE = 4;
const LOCK_MS = 30_000;

export interface SeenWorkerDeps extends DeskActivityDeps, Omit<SweepCallDeps, 'isBusy' | 'signal'> {
  readonly consortium: Consortium;
  readonly connection: Redis;
  readonly fetches?: FetchWatch | undefined;
  readonly libraries: Pick<Libraries, 'callForSweep' | 'capabilities'>;
  readonly receipts: Receipts;
  readonly keys: WorkerConfig['keys'];
  readonly now: () => number;
  readonly log: Logger;
}

/** Starts the worker that refreshes copies which were scanned; scans go first. */
export function startSeenWorker(deps: SeenWorkerDeps): { close(): Promise<void> } {
  const { connection, redis, libraries, log } = deps;
  const stopping = new AbortController();
  const common = {
    ...deps,
    // A library that does not answer must not keep those of others waiting: the queue tries it again.
    call: buildSweepCalls({
      ...deps,
      isBusy: buildDeskActivity(deps),
      signal: stopping.signal,
      retryPausesMs: [],
    }),
    passOn: buildPassOn({ ...deps, signal: stopping.signal }),
    readRecords: (lending: string, patronIds: readonly number[]) =>
      readCopyRecords(redis, lending, patronIds),
    encryption: createEncryption(deps.keys.map((key) => key.reveal())),
    propertiesOf: async (lending: string) => (await libraries.capabilities(lending)).patronProperties,
  };
  const worker = new LenientWorker(
    REFRESHES,
    async (job) => {
      const copy = refreshSchema.safeParse(job.data);
      if (!copy.success) return;
      const { library: lending, patron_id } = copy.data;
      const scanId = `seen_${(job.id ?? '').replaceAll(/[^\w-]/g, '-')}`;
      const seen = await refreshSeen(copy.data, { ...common, scanId }).catch(rethrowInCodes);
      if (seen === null) return;
      const { homeKey: home_key, findings, changed, kept } = seen;
      const line = { lending, patron_id, home_key, findings, fields_changed: changed, fields_kept: kept };
      log.info({ audit: true, action: 'refresh', event: scanId, ...line }, 'refresh');
    },
    {
      connection,
      fetches: deps.fetches,
      concurrency: AT_ONCE,
      lockDuration: LOCK_MS,
    },
  );
  worker.on('failed', (_job, error) =>
    log.warn({ because: error.message }, 'a copy was not refreshed at its scan'),
  );
  return {
    async close() {
      stopping.abort(new Error('stopping'));
      await worker.close();
    },
  };
}
