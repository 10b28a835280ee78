import type { Consortium, WorkerConfig } from '@passport/config';
import { type Receipts, type TakenCopy, openSeenCopies, readCopyRecords } from '@passport/queue';
import { type Logger, createEncryption, translateRedisError } from '@passport/runtime';
import type { Libraries } from '../koha/libraries.ts';
import { isKohaFailure } from '../koha/koha-failure.ts';
import { type DeskActivityDeps, buildDeskActivity } from '../koha/desk-activity.ts';
import { buildPassOn } from './pass-on.ts';
import { refreshSeen } from './refresh-seen.ts';
import { type SweepCallDeps, buildSweepCalls } from '../koha/sweep-calls.ts';
import { SweepPaused } from './sweep-paused.ts';

/** Each library has one at most, so that one that is slow keeps no other's copies waiting; each makes one call at a time. */
const AT_ONCE = 4;
const LOOK_EVERY_MS = 1_000;
const KEEP_EVERY_MS = 10_000;

export interface SeenWorkerDeps extends DeskActivityDeps, Omit<SweepCallDeps, 'isBusy' | 'signal'> {
  readonly consortium: Consortium;
  readonly libraries: Pick<Libraries, 'callForSweep' | 'capabilities'>;
  readonly receipts: Receipts;
  readonly keys: WorkerConfig['keys'];
  readonly now: () => number;
  readonly log: Logger;
}

/** Starts what refreshes copies that were scanned; scans go first, and libraries take turns, one copy each. */
export function startSeenWorker(deps: SeenWorkerDeps): { close(): Promise<void> } {
  const seen = openSeenCopies(deps.redis);
  const stopping = new AbortController();
  const refresh = buildRefresh(deps, stopping.signal);
  const running = new Set<Promise<void>>();
  let filling: Promise<void> | null = null;

  // Redis's own trouble is reported by the connection, once.
  const report = (error: unknown): void => {
    if (translateRedisError(error).kind === 'bug')
      deps.log.error({ error }, 'what is refreshed at scans failed');
  };
  /** Begins with what is due, as long as there is a place. */
  const fill = async (): Promise<void> => {
    while (!stopping.signal.aborted && running.size < AT_ONCE) {
      const copy = await seen.take();
      if (copy === null) return;
      const done: Promise<void> = work(copy).finally(() => {
        running.delete(done);
        look();
      });
      running.add(done);
    }
  };
  const look = (): void => {
    if (stopping.signal.aborted) return;
    filling ??= fill()
      .catch(report)
      .finally(() => (filling = null));
  };
  const work = async (copy: TakenCopy): Promise<void> => {
    const keep = (): void => void seen.keep(copy.library).catch(() => undefined);
    const keeping = setInterval(keep, KEEP_EVERY_MS);
    const end = await refresh(copy);
    clearInterval(keeping);
    // Where that fails, the copy comes again as one that failed.
    await noteEnd(copy, end).catch(report);
  };
  const noteEnd = (copy: TakenCopy, end: End): Promise<void> =>
    end.kind === 'later' ? seen.later(copy, end.untilMs) : seen[end.kind](copy);

  const looking = setInterval(look, LOOK_EVERY_MS);
  return {
    async close() {
      clearInterval(looking);
      stopping.abort(new Error('stopping'));
      await filling;
      await Promise.all(running);
    },
  };
}

type End = { readonly kind: 'done' | 'failed' } | { readonly kind: 'later'; readonly untilMs?: number };

/** Refreshes one copy and says so in the log; never throws. */
function buildRefresh(deps: SeenWorkerDeps, signal: AbortSignal): (copy: TakenCopy) => Promise<End> {
  const { redis, libraries, keys, log } = deps;
  const common = {
    ...deps,
    // A library that does not answer is called again later: nobody's slot is kept for it.
    call: buildSweepCalls({ ...deps, isBusy: buildDeskActivity(deps), signal, retryPausesMs: [] }),
    passOn: buildPassOn({ ...deps, signal }),
    readRecords: (lending: string, patronIds: readonly number[]) =>
      readCopyRecords(redis, lending, patronIds),
    encryption: createEncryption(keys.map((key) => key.reveal())),
    propertiesOf: async (lending: string) => (await libraries.capabilities(lending)).patronProperties,
  };
  return async ({ library, patron_id, notedMs }) => {
    const scanId = `seen_${patron_id}_${notedMs}`;
    try {
      const seen = await refreshSeen({ library, patron_id }, { ...common, scanId });
      if (seen === null) return { kind: 'done' };
      const { homeKey: home_key, findings, changed, kept } = seen;
      const line = { lending: library, patron_id, home_key, findings };
      log.info(
        {
          audit: true,
          action: 'refresh',
          event: scanId,
          ...line,
          fields_changed: changed,
          fields_kept: kept,
        },
        'refresh',
      );
      return { kind: 'done' };
    } catch (error) {
      if (error instanceof SweepPaused) return { kind: 'later', untilMs: error.untilMs };
      if (signal.aborted) return { kind: 'later' };
      log.warn({ because: becauseOf(error) }, 'a copy was not refreshed at its scan');
      return { kind: 'failed' };
    }
  };
}

/** The failure of a library in its codes only. */
function becauseOf(error: unknown): string {
  if (isKohaFailure(error)) return `${error.library}: ${error.code}`;
  return error instanceof Error ? error.message : 'unknown';
}
