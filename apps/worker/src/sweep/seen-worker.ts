import type { Library } from '@passport/config';
import type { KohaPatron } from '@passport/koha-client';
import { homeKeyOf, homeKeysOf, isCopy, passportTypes } from '@passport/patron-rules';
import {
  type CopyRefresh,
  type TakenCopy,
  buildCopyRecordReader,
  noteFindings,
  openSeenCopies,
} from '@passport/queue/copies';
import { createEncryption, translateRedisError } from '@passport/runtime';
import { buildDeskActivity, buildSweepCalls } from '../koha/sweep-calls.ts';
import type { Libraries } from '../koha/libraries.ts';
import { SweepPaused } from '../koha/slice.ts';
import { buildPassOn } from './pass-on.ts';
import { noteChecked } from './check-standing.ts';
import { type Followed, finishRekey, followMerge, isUnfinished } from './follow-merge.ts';
import { needsBalance, readHomeRecords } from './read-rows.ts';
import { pairOf } from './copy-pair.ts';
import { endStanding, hasEnded, refreshCopy } from './refresh-copy.ts';
import { type Refreshed, only } from './refresh-fields.ts';
import { type Sources, readTimings } from '../sources.ts';
import type { CopiesContext } from '../work-context.ts';
import { recordsIn } from './sweep-job.ts';
import type { SweepDeps } from './sweep-state.ts';
import { textOf } from '../koha/koha-failure.ts';

/** Each library has one at most, so that one that is slow keeps no other's copies waiting; each makes one call at a time. */
const AT_ONCE = 4;
const KEEP_EVERY_MS = 10_000;

/** Starts what refreshes copies that were scanned; scans go first, and libraries take turns, one copy each. */
export function startSeenWorker({
  timings: { lookForSeenMs } = readTimings(),
  ...deps
}: Omit<CopiesContext, 'newId'> & Pick<Sources, 'timings'>): { close(): Promise<void> } {
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
    const became = await refresh(copy);
    clearInterval(keeping);
    // Where that fails, the copy comes again as one that failed.
    const noted = became.kind === 'later' ? seen.later(copy, became.untilMs) : seen[became.kind](copy);
    await noted.catch(report);
  };

  const looking = setInterval(look, lookForSeenMs);
  return {
    async close() {
      clearInterval(looking);
      stopping.abort(new Error('stopping'));
      await filling;
      await Promise.all(running);
    },
  };
}

type Became = { readonly kind: 'done' | 'failed' } | { readonly kind: 'later'; readonly untilMs?: number };

/** Refreshes one copy and says so in the log; never throws. */
function buildRefresh(
  deps: Omit<CopiesContext, 'newId'>,
  signal: AbortSignal,
): (copy: TakenCopy) => Promise<Became> {
  const { redis, keys, log } = deps;
  const common = {
    ...deps,
    // A library that does not answer is called again later: nobody's slot is kept for it.
    call: buildSweepCalls({ ...deps, isBusy: buildDeskActivity(deps), signal, retryPausesMs: [] }),
    passOn: buildPassOn(deps, signal),
    readRecords: buildCopyRecordReader(redis, deps.now),
    records: recordsIn(redis),
    encryption: createEncryption(keys.map((key) => key.reveal())),
  };
  return async ({ library, patron_id, notedMs }) => {
    const scanId = `seen_${patron_id}_${notedMs}`;
    try {
      const seen = await refreshSeen({ library, patron_id }, { ...common, scanId });
      if (seen === null) return { kind: 'done' };
      const { homeKey: home_key, findings, open, changed, kept } = seen;
      // One look that finds nobody is no finding: the sweep's stay as they are.
      const isLooked = !findings.includes('HOME_MISSING');
      const found = { patronId: patron_id, homeKey: home_key, open: isLooked ? open : null };
      await noteFindings(redis, library, [found], deps.now());
      const line = { lending: library, patron_id, home_key, findings, fields_changed: changed };
      log.info({ audit: true, action: 'refresh', event: scanId, ...line, fields_kept: kept }, 'refresh');
      return { kind: 'done' };
    } catch (error) {
      if (error instanceof SweepPaused) return { kind: 'later', untilMs: error.untilMs };
      if (signal.aborted) return { kind: 'later' };
      log.warn({ because: textOf(error) }, 'a copy was not refreshed at its scan');
      return { kind: 'failed' };
    }
  };
}

interface RefreshSeenDeps extends Pick<
  SweepDeps,
  'consortium' | 'readRecords' | 'records' | 'call' | 'passOn' | 'encryption' | 'now' | 'log'
> {
  readonly libraries: Pick<Libraries, 'capabilities'>;
  /** Names the scan beside what is written. */
  readonly scanId: string;
}

/** The outcome of a copy that was scanned, and whose it is. */
interface SeenCopy extends Refreshed {
  readonly homeKey: string;
}

/**
 * Refreshes a copy that was scanned by the rule of the sweep. Null where there is nothing to refresh: a number that the service has no
 * record of, or no copy with one home key. What the lending Koha shows is believed only
 * where the record says the same. Throws KohaError or LibraryClosed where one of the two libraries did not answer, and SweepPaused.
 */
async function refreshSeen(
  { library, patron_id: patronId }: CopyRefresh,
  deps: RefreshSeenDeps,
): Promise<SeenCopy | null> {
  const { consortium, call } = deps;
  const lending = consortium.libraries.find(({ id }) => id === library);
  if (lending?.enabled !== true || lending.refresh?.atScan !== true) return null;
  const record = (await deps.readRecords(library, [patronId])).get(patronId);
  if (record === undefined) return null;
  const copy = await call(library, (koha) => koha.readPatron(patronId));
  if (copy === null || copy.hidden || !isCopy(copy, passportTypes(consortium))) return null;
  const origin = originOf(copy, lending);
  if (origin === null) return null;
  const { home, number } = origin;
  const homeKey = homeKeyOf(home, number);
  const readRemembered = async () =>
    (
      await call(library, (koha) => koha.readRememberedCopies({ after: patronId - 1, upTo: patronId }))
    )?.[0] ?? null;
  const write = { dryRun: false, sweepId: deps.scanId };
  const { patronProperties } = await deps.libraries.capabilities(library);
  const pair = pairOf(home, lending, { consortium, accepts: (property) => patronProperties.has(property) });
  const orphan = pair === null ? null : { ...write, pair, patronId, homeKey, record };
  if (orphan !== null && isUnfinished(record, homeKey))
    return seenAs(homeKey, await finishRekey(copy, orphan, deps));
  // What the record here shows may be any text: the service's own record says whose copy it was.
  if (homeKey !== record.homeKey) return { homeKey: record.homeKey, ...only('NOT_ON_RECORD') };
  if (pair === null || orphan === null) {
    if (!hasEnded(consortium, { lending: library, home })) return null;
    const ended = { ...deps, ...write, lending, home, copy, homeKey, record };
    const told = await endStanding({ ...ended, remembered: await readRemembered() });
    return { homeKey, ...told };
  }
  const wanted = { changedSince: null, balance: needsBalance(lending) };
  const records = await readHomeRecords(call, home, [number], wanted);
  const homeRecord = records.found.get(number);
  if (homeRecord === undefined) return seenAs(homeKey, await followMerge(orphan, deps));
  const known = { copy, homeRecord, homeKey, record, remembered: await readRemembered() };
  const refreshed = await refreshCopy({ ...deps, ...pair, ...write, ...known });
  if (refreshed.isChecked === true) await noteChecked(library, [patronId], call);
  return { homeKey, ...refreshed };
}

/** What is found of a copy whose number home did not answer for. Koha does not distinguish gone from hidden: one look proves nothing. */
function seenAs(homeKey: string, followed: Followed): SeenCopy {
  if (followed.kind === 'rekeyed') return { homeKey: followed.homeKey, ...only('REKEYED') };
  return { homeKey, ...only(followed.kind === 'unsure' ? 'HOME_MERGED' : 'HOME_MISSING') };
}

/** The home library and the patron's number there, by the one home key that a copy has. */
function originOf(
  copy: KohaPatron,
  { copy: { homeKeyAttribute } }: Library,
): { readonly home: string; readonly number: number } | null {
  const [key = '', ...others] = homeKeysOf(copy, { homeKeyAttribute });
  const [, home = '', digits = ''] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):([1-9]\d{0,9})$/.exec(key) ?? [];
  if (others.length > 0 || home === '') return null;
  return { home, number: Number(digits) };
}
