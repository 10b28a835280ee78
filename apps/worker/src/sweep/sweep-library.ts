import { parsePatronNumber } from '@passport/contract';
import { type KohaPatron, type ListedPage, isOfOneRecord } from '@passport/koha-client';
import {
  type CopyFinding,
  copyCategoriesOf,
  homeKeyOf,
  isBlind,
  isInForeignCategory,
  isNobodyShown,
} from '@passport/patron-rules';
import { type CopyRecord, NO_NUMBER } from '@passport/queue/copies';
import type { SweepState, SweptHome } from '@passport/queue/sweeps';
import { isKohaFailure } from '../koha/koha-failure.ts';
import { type Followed, finishRekey, followMerge, isUnfinished } from './follow-merge.ts';
import { needsBalance, readHomeRecords, readRememberedRows } from './read-rows.ts';
import { type CopyPair, pairOf } from './copy-pair.ts';
import { refreshCopy } from './refresh-copy.ts';
import { type Refreshed, only } from './refresh-fields.ts';
import { noteChecked } from './check-standing.ts';
import { countOthers } from './count-others.ts';
import {
  type Sweep,
  SweepCut,
  type SweepDeps,
  addMissing,
  askedAbout,
  count,
  newHome,
  openSweep,
  pagesOf,
  save,
} from './sweep-state.ts';

/** What a report says of a sweep that was cut short. */
const CUT = 'it has reached a limit of pages, rows or time';

/**
 * Sweeps over the copies of one lending library, home by home, a page at a time: each is refreshed where it still holds what the
 * service wrote, or gets its finding. One record that breaks stops nobody, and neither does a home that does not answer; a library that
 * has more than a sweep may take ends it. Throws KohaError or LibraryClosed where the lending library does not answer, and SweepPaused
 * where it goes on later. What was done by then is saved.
 */
export async function sweepLibrary(begun: SweepState, deps: SweepDeps): Promise<void> {
  const sweep = openSweep(begun, deps);
  const { state } = sweep;
  try {
    await sweepHomes(sweep);
    if (state.mode === 'full') await countOthers(sweep);
  } catch (error) {
    // Whatever has ended it, no copy that is done is done again. Where the lock is lost, another run does.
    if (!(error instanceof SweepCut)) {
      await save(sweep);
      throw error;
    }
    state.failed = CUT;
    for (const home of Object.values(state.homes)) if (isOpen(home)) home.state = 'cut';
  }
  state.homes = withOthers(sweep);
  state.ended_ms = deps.now();
  // What changed at a home that was not read to its end is looked for again.
  if (Object.values(state.homes).every((home) => home.state === 'done')) state.last_ms = state.started_ms;
  if (state.mode === 'full' && state.failed === null) state.last_full_ms = state.started_ms;
  await save(sweep);
}

const isOpen = ({ state }: SweptHome): boolean => state === 'waiting' || state === 'working';
const isOf = (library: string, error: unknown): boolean => isKohaFailure(error) && error.library === library;

async function sweepHomes(sweep: Sweep): Promise<void> {
  const { state, lending, deps } = sweep;
  for (const [id, home] of Object.entries(state.homes)) {
    const pair = isOpen(home) ? pairOf(id, lending, deps) : null;
    if (pair === null) continue;
    if (home.state === 'waiting') await deps.unanswered.clear();
    home.state = 'working';
    await sweepHome(sweep, home, pair).catch((error: unknown) => {
      if (!isOf(id, error)) throw error;
      home.state = 'down';
    });
    Object.assign(state, { after: 0, missing: 0, looked_up: 0 });
    sweep.missing.length = 0;
    await save(sweep);
    sweep.deps.slice.endIfOver('pages');
  }
}

async function sweepHome(sweep: Sweep, home: SweptHome, pair: CopyPair): Promise<void> {
  const { state } = sweep;
  const { id } = pair.home;
  const type = pair.lending.copy.homeKeyAttribute;
  if (type === null) return;
  const before = state.copies_before[id] ?? 0;
  for await (const page of pagesOf({ type, prefix: `${id}:`, after: state.after }, sweep)) {
    await sweepPage(sweep, home, { page, pair });
    if (before > 0 && isBlind(state.missing, Math.max(before, askedAbout(home)))) break;
    await save(sweep);
  }
  const asked = askedAbout(home);
  if (isBlind(state.missing, Math.max(before, asked)) || isNobodyShown(state.missing, asked)) {
    count(home, 'HOME_HIDES_PATRONS', state.missing);
    home.state = 'blind';
    return;
  }
  await save(sweep);
  if (state.mode === 'full') await countMissing(sweep, home, pair);
  await save(sweep);
  await sweep.deps.findings.prune((each) => each === id);
  home.state = 'done';
}

/** What the lending Koha shows of a copy, with the service's own record of it and the patron's number at home. */
interface ShownCopy {
  readonly copy: KohaPatron;
  /** Null: there is none, or it is another patron's, and what is shown is not believed. */
  readonly record: CopyRecord | null;
  /** Null where no home key can be read. */
  readonly number: number | null;
  /** Its record has another home key since, of the same home: a change that was interrupted before Koha had it. */
  readonly unfinished: CopyRecord | null;
}

async function readRecordsOf(
  { patrons }: ListedPage,
  { home, lending }: CopyPair,
  { readRecords }: Pick<SweepDeps, 'readRecords'>,
): Promise<readonly ShownCopy[]> {
  const ids = patrons.map(({ patronId }) => patronId);
  const records = await readRecords(lending.id, ids);
  return patrons.map((copy) => {
    const number = numberAtHome(copy, home.id, lending.copy.homeKeyAttribute);
    const record = records.get(copy.patronId) ?? null;
    const shown = number === null ? null : homeKeyOf(home.id, number);
    const isSame = shown === null || record?.homeKey === shown;
    return {
      copy,
      number,
      record: isSame ? record : null,
      unfinished: isUnfinished(record, shown) ? record : null,
    };
  });
}

/** A copy that was merged into an own patron of the library has that patron's number and category. */
const unrecordedBecause = (copy: KohaPatron, { lending }: CopyPair): CopyFinding =>
  isInForeignCategory(copy, { copyCategories: copyCategoriesOf(lending.copy) })
    ? 'MERGED_INTO_NATIVE'
    : 'NOT_ON_RECORD';

/** Does a page copy by copy, and says after each that it is done: where it ends before its end, the next run goes on with the next copy. */
async function sweepPage(
  sweep: Sweep,
  home: SweptHome,
  { page, pair }: { readonly page: ListedPage; readonly pair: CopyPair },
): Promise<void> {
  const { state, deps } = sweep;
  const { call } = deps;
  const shown = await readRecordsOf(page, pair, deps);
  const onRecord = shown.filter(({ record }) => record !== null);
  const numbers = [...new Set(onRecord.flatMap(({ number }) => number ?? []))];
  const ids = onRecord.map(({ copy }) => copy.patronId);
  const memory = await readRememberedRows(call, pair.lending.id, ids);
  const since = state.mode === 'changed' ? changedSince(state) : null;
  const balance = needsBalance(pair.lending);
  const records = await readHomeRecords(call, pair.home.id, numbers, { changedSince: since, balance });
  const sweepCopy = async ({
    copy,
    record,
    number,
    unfinished,
  }: ShownCopy): Promise<Refreshed | 'missing' | 'as_before'> => {
    if (unfinished !== null && number !== null) {
      const homeKey = homeKeyOf(pair.home.id, number);
      const { dry_run: dryRun, id: sweepId } = state;
      const orphan = { pair, patronId: copy.patronId, homeKey, record: unfinished, dryRun, sweepId };
      return only(MISSING_AS[(await finishRekey(copy, orphan, deps)).kind]);
    }
    if (record === null) return only(unrecordedBecause(copy, pair));
    const isUnread = memory.unreadable.has(copy.patronId);
    if (number === null || isUnread || records.unreadable.has(number)) return only('UNREADABLE');
    const homeRecord = records.found.get(number);
    if (homeRecord === undefined) return since === null ? 'missing' : 'as_before';
    const homeKey = homeKeyOf(pair.home.id, number);
    const remembered = memory.found.get(copy.patronId) ?? null;
    const { dry_run: dryRun, id: sweepId } = state;
    return refreshCopy({ ...deps, ...pair, copy, homeRecord, homeKey, record, remembered, dryRun, sweepId });
  };
  const unreadable = page.unreadable.map((patronId) => ({ patronId, of: null }));
  const copies = shown.map((of) => ({ patronId: of.copy.patronId, of }));
  const checked: number[] = [];
  const sweepCopies = async (): Promise<void> => {
    for (const { patronId, of } of [...copies, ...unreadable].toSorted(
      (one, next) => one.patronId - next.patronId,
    )) {
      const done = of === null ? only('UNREADABLE') : await sweepCopy(of);
      const isLooked = done !== 'missing' && done !== 'as_before';
      if (done === 'missing') addMissing(sweep, homeKeyOf(pair.home.id, of?.number ?? 0));
      else add(home, isLooked ? done : only('UNCHANGED'));
      const homeKey = `${pair.home.id}:${of?.number ?? NO_NUMBER}`;
      sweep.found.push({ patronId, homeKey, open: isLooked ? done.open : null });
      home.copies += 1;
      state.after = patronId;
      if (isLooked && done.isChecked === true && !state.dry_run) checked.push(patronId);
      // A write is counted where it was made, also when this process dies with the next one.
      if (isLooked && done.changed > 0) await save(sweep);
      // Where a row without a number is among them, nobody could say whether it is counted.
      if (page.broken === 0) deps.slice.endIfOver('page');
    }
  };
  await sweepCopies().catch(async (error: unknown) => {
    // No copy that is done is done again; where that cannot be noted now, they show an older check.
    await noteChecked(pair.lending.id, checked, call).catch(() => undefined);
    throw error;
  });
  await noteChecked(pair.lending.id, checked, call);
  count(home, 'UNREADABLE', page.broken);
  home.copies += page.broken;
  state.after = page.last;
}

/** What was stored while the last sweep ran may have been read before. */
const OVERLAP_MS = 3_600_000;
const changedSince = ({ last_ms: lastMs }: SweepState): Date =>
  new Date(Math.max(0, (lastMs ?? 0) - OVERLAP_MS));

/** The patron's number at home by the home key; null where it is none, or the copy has several. */
function numberAtHome(copy: KohaPatron, home: string, type: string | null): number | null {
  const prefix = `${home}:`;
  const keys = (copy.attributes ?? []).filter(
    (each) => each.type === type && each.value?.startsWith(prefix) === true,
  );
  const digits = keys[0]?.value?.slice(prefix.length) ?? '';
  return keys.length === 1 ? parsePatronNumber(digits) : null;
}

function add(home: SweptHome, { findings, changed, kept }: Refreshed): void {
  for (const each of findings) count(home, each, 1);
  home.fields_changed += changed;
  home.fields_kept += kept;
}

/** A patron is gone who was missing in two full sweeps at least this far apart. */
const GONE_AFTER_MS = 24 * 3_600_000;
/** So many are looked up by their cards at a home in one sweep, those who are missing longest: two calls each that a lending library could make up. */
const MOST_LOOKED_UP = 100;

/** What is found of a copy whose number home did not answer for once. */
const MISSING_AS = { none: 'HOME_MISSING', unsure: 'HOME_MERGED', rekeyed: 'REKEYED' } as const;

/**
 * Counts who is missing at a home that was read to its end. Koha does not distinguish "deleted" from "hidden from this API user": gone
 * needs two sweeps a day apart. Where home has merged the record into another, the copy gets that one's number.
 */
async function countMissing(sweep: Sweep, home: SweptHome, pair: CopyPair): Promise<void> {
  const { state } = sweep;
  const { unanswered, now } = sweep.deps;
  const since = await unanswered.note(pair.home.id);
  const longest = [...since]
    .toSorted(([one, oneMs], [other, otherMs]) => oneMs - otherMs || (one < other ? -1 : 1))
    .slice(0, MOST_LOOKED_UP);
  for (const [homeKey, sinceMs] of longest.slice(state.looked_up)) {
    const found = await followMissing(sweep, homeKey, pair).catch((error: unknown) => {
      if (isOfOneRecord(error)) return null;
      throw error;
    });
    const isGone = found?.followed === 'none' && now() - sinceMs >= GONE_AFTER_MS;
    const code = isGone ? 'HOME_GONE' : MISSING_AS[found?.followed ?? 'none'];
    count(home, code, 1);
    const patronId = found?.patronId ?? null;
    if (patronId !== null) sweep.found.push({ patronId, homeKey, open: only(code).open });
    state.looked_up += 1;
    // Nobody finds it under the number of before again, to count it.
    if (code === 'REKEYED') await save(sweep);
    sweep.deps.slice.endIfOver('pages');
  }
  count(home, 'HOME_MISSING', state.missing - longest.length);
}

/** What has become of a copy on record that home did not answer for; the number of the copy, null where none is on record. */
async function followMissing(
  { state, deps }: Sweep,
  homeKey: string,
  pair: CopyPair,
): Promise<{ readonly patronId: number | null; readonly followed: Followed['kind'] }> {
  const { id } = pair.lending;
  const patronId = await deps.records.find(id, homeKey);
  const record = patronId === null ? undefined : (await deps.readRecords(id, [patronId])).get(patronId);
  if (patronId === null || record?.homeKey !== homeKey) return { patronId: null, followed: 'none' };
  const orphan = { pair, patronId, homeKey, record, dryRun: state.dry_run, sweepId: state.id };
  return { patronId, followed: (await followMerge(orphan, deps)).kind };
}

/** The homes of a report: those that were looked at, and the others that copies name. */
function withOthers({ state, lending, deps }: Sweep): Record<string, SweptHome> {
  const agreed = deps.consortium.agreements.homesAt(lending.id);
  const named = Object.entries(state.unknown).map(([id, copies]): [string, SweptHome] => {
    const home: SweptHome = { ...newHome(), state: 'done', copies };
    count(home, agreed.has(id) ? 'NOT_ON_RECORD' : 'HOME_UNKNOWN', copies);
    return [id, home];
  });
  return { ...state.homes, ...Object.fromEntries(named) };
}
