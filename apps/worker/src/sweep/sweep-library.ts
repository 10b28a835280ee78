import type { Consortium, Library } from '@passport/config';
import {
  type CopiesWanted,
  type KohaPatron,
  type PatronPage,
  isOfOneRecord,
  listPages,
} from '@passport/koha-client';
import {
  type CopyFinding,
  homeKeyOf,
  isBlind,
  isNobodyShown,
  isCopy,
  libraryById,
} from '@passport/patron-rules';
import type { CopyRecord, SweepState, SweptHome } from '@passport/queue';
import type { Encryption } from '@passport/runtime';
import { isKohaFailure } from '../koha/koha-failure.ts';
import { readHomeRecords } from './home-records.ts';
import type { PassOn } from './pass-on.ts';
import { type CopyPair, type Refreshed, pairOf, refreshCopy } from './refresh-copy.ts';
import { readRememberedRows } from './remembered-rows.ts';
import type { SweepCall } from '../koha/sweep-calls.ts';

/** A patron is gone who was missing in two full sweeps at least this far apart. */
const GONE_AFTER_MS = 24 * 3_600_000;

export interface SweepDeps {
  readonly consortium: Consortium;
  readonly call: SweepCall;
  readonly passOn: PassOn;
  /** What the service itself knows of copies at a library. */
  readonly readRecords: (
    lending: string,
    patronIds: readonly number[],
  ) => Promise<ReadonlyMap<number, CopyRecord>>;
  readonly encryption: Pick<Encryption, 'hash' | 'hashes'>;
  /** What the lending Koha's own description allows. */
  readonly accepts: (property: string) => boolean;
  /** Keeps how far the sweep is: another worker goes on from there. Throws where it must not go on. */
  readonly save: (state: SweepState) => Promise<void>;
  /** Notes who is missing, and returns since when. */
  readonly noteMissing: (home: string, homeKeys: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  readonly now: () => number;
}

/** Where a sweep is: a new one, or one that another worker began. Its numbers are changed as it goes. */
type Moving<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Sweeps over the copies of one lending library, home by home, a page at a time: each is refreshed where it still holds what the
 * service wrote, or gets its finding. One record that breaks stops nobody, and neither does a home that does not answer. Throws
 * KohaError or LibraryClosed where the lending library does not.
 */
export async function sweepLibrary(begun: SweepState, deps: SweepDeps): Promise<void> {
  const state: Moving<SweepState> = structuredClone(begun);
  const lending = libraryById(deps.consortium, state.library);
  for (const [id, home] of Object.entries(state.homes)) {
    if (home.state !== 'waiting' && home.state !== 'working') continue;
    const pair = pairOf(id, lending, deps);
    if (pair === null) continue;
    home.state = 'working';
    await sweepHome(state, home, pair, deps).catch((error: unknown) => {
      if (!isOf(id, error)) throw error;
      home.state = 'down';
    });
    state.after = 0;
    state.missing = [];
    await deps.save(state);
  }
  if (state.mode === 'full') await countUnknown(state, lending, deps);
  state.ended_ms = deps.now();
  // What changed at a home that was not read to its end is looked for again.
  if (Object.values(state.homes).every((home) => home.state === 'done')) state.last_ms = state.started_ms;
  if (state.mode === 'full') state.last_full_ms = state.started_ms;
  await deps.save(state);
}

const isOf = (library: string, error: unknown): boolean => isKohaFailure(error) && error.library === library;

async function sweepHome(
  state: Moving<SweepState>,
  home: SweptHome,
  pair: CopyPair,
  deps: SweepDeps,
): Promise<void> {
  const { id } = pair.home;
  const type = pair.lending.copy.homeKeyAttribute;
  if (type === null) return;
  const before = state.copies_before[id] ?? 0;
  const wanted = { type, prefix: `${id}:`, after: state.after };
  for await (const page of pagesOf(wanted, pair.lending, deps)) {
    await sweepPage(state, home, { page, pair }, deps);
    if (before > 0 && isBlind(state.missing.length, Math.max(before, home.copies))) break;
    state.after = lastOf(page, state.after);
    await deps.save(state);
  }
  const all = Math.max(before, home.copies);
  if (isBlind(state.missing.length, all) || isNobodyShown(state.missing.length, home.copies)) {
    count(home, 'HOME_BLIND', state.missing.length);
    home.state = 'blind';
    return;
  }
  if (state.mode === 'full') await countMissing(state, home, pair, deps);
  home.state = 'done';
}

/** The pages of a list of copies, each call of it one of the sweep's. */
const pagesOf = (
  of: CopiesWanted,
  { id: library }: Library,
  { call }: SweepDeps,
): AsyncIterable<PatronPage> =>
  listPages({ library, of }, (wanted, part) => call(library, (koha) => koha.readCopies(wanted, part)));

/** Koha's number of the last copy of a page. */
const lastOf = ({ patrons, unreadable }: PatronPage, before: number): number =>
  Math.max(before, ...patrons.map(({ patronId }) => patronId), ...unreadable);

async function sweepPage(
  state: Moving<SweepState>,
  home: SweptHome,
  { page, pair }: { readonly page: PatronPage; readonly pair: CopyPair },
  deps: SweepDeps,
): Promise<void> {
  const { call } = deps;
  const type = pair.lending.copy.homeKeyAttribute;
  const unreadable = page.unreadable.length + page.broken;
  count(home, 'UNREADABLE', unreadable);
  home.copies += page.patrons.length + unreadable;
  const recorded = await deps.readRecords(
    pair.lending.id,
    page.patrons.map(({ patronId }) => patronId),
  );
  const onRecord = page.patrons.flatMap((copy) => {
    const record = recorded.get(copy.patronId);
    const number = numberAtHome(copy, pair.home.id, type);
    const isSame =
      record !== undefined && (number === null || homeKeyOf(pair.home.id, number) === record.homeKey);
    return isSame ? [{ copy, number, record }] : [];
  });
  count(home, 'NOT_ON_RECORD', page.patrons.length - onRecord.length);
  const numbers = [...new Set(onRecord.flatMap(({ number }) => number ?? []))];
  const ids = onRecord.map(({ copy }) => copy.patronId);
  const memory = await readRememberedRows(call, pair.lending.id, ids);
  const since = state.mode === 'changed' ? changedSince(state) : null;
  const records = await readHomeRecords(call, pair.home.id, numbers, since);
  for (const { copy, number, record } of onRecord) {
    const homeRecord = number === null ? undefined : records.found.get(number);
    const isUnread = memory.unreadable.has(copy.patronId);
    if (number === null || isUnread || records.unreadable.has(number)) count(home, 'UNREADABLE', 1);
    else if (homeRecord !== undefined) {
      const homeKey = homeKeyOf(pair.home.id, number);
      const the = { copy, homeRecord, homeKey, record, remembered: memory.found.get(copy.patronId) ?? null };
      const { dry_run: dryRun, id: sweepId } = state;
      add(home, await refreshCopy(the, pair, { ...deps, dryRun, sweepId }));
    } else if (since === null) state.missing.push(homeKeyOf(pair.home.id, number));
    else count(home, 'UNCHANGED', 1);
  }
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
  return keys.length === 1 && /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : null;
}

/**
 * Koha does not distinguish "deleted" from "hidden from this API user": gone needs two sweeps a day apart. A card that another record at home
 * has by now was merged into it.
 */
async function countMissing(
  state: SweepState,
  home: SweptHome,
  pair: CopyPair,
  deps: SweepDeps,
): Promise<void> {
  const { noteMissing, now } = deps;
  const since = state.dry_run
    ? new Map(state.missing.map((homeKey) => [homeKey, now()]))
    : await noteMissing(pair.home.id, state.missing);
  for (const [homeKey, sinceMs] of since) {
    const isMerged = await hasOtherNumber(homeKey, pair, deps).catch((error: unknown) => {
      if (isOfOneRecord(error)) return null;
      throw error;
    });
    const isGone = isMerged === false && now() - sinceMs >= GONE_AFTER_MS;
    count(home, isMerged === true ? 'HOME_MERGED' : isGone ? 'HOME_GONE' : 'HOME_MISSING', 1);
  }
}

/** Whether home has the card of a copy under another number. */
async function hasOtherNumber(homeKey: string, pair: CopyPair, { call }: SweepDeps): Promise<boolean> {
  const { home, lending, passportTypes: types } = pair;
  const type = lending.copy.homeKeyAttribute;
  if (type === null) return false;
  const [copy] = await call(lending.id, (koha) => koha.findByAttribute(type, homeKey));
  const card = copy?.cardnumber ?? null;
  if (card === null) return false;
  const found = await call(home.id, (koha) => koha.findByCard(card, { attributes: true, balance: false }));
  return found.some((each) => !isCopy(each, types) && homeKeyOf(home.id, each.patronId) !== homeKey);
}

/** Whoever may write patron attributes can write anything there; only what can be a library's id gets into a report. */
const HOME_KEY = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):[1-9]\d{0,14}$/;
const NO_HOME_KEY = '?';

/** Counts the copies whose home key names no library that they may come from: one that left, or was renamed. */
async function countUnknown(state: Moving<SweepState>, lending: Library, deps: SweepDeps): Promise<void> {
  const type = lending.copy.homeKeyAttribute;
  if (type === null) return;
  const unknown = new Map<string, SweptHome>();
  for await (const page of pagesOf({ type, prefix: '' }, lending, deps)) {
    for (const { attributes } of page.patrons) {
      const value = attributes?.find((each) => each.type === type)?.value ?? '';
      const [, id = NO_HOME_KEY] = HOME_KEY.exec(value) ?? [];
      if (id in state.homes) continue;
      const home = unknown.get(id) ?? unknownHome();
      home.copies += 1;
      count(home, 'HOME_UNKNOWN', 1);
      unknown.set(id, home);
    }
    await deps.save(state);
  }
  state.homes = { ...state.homes, ...Object.fromEntries(unknown) };
}

const unknownHome = (): SweptHome => ({
  state: 'done',
  copies: 0,
  findings: {},
  fields_changed: 0,
  fields_kept: 0,
});

function add(home: SweptHome, { findings, changed, kept }: Refreshed): void {
  for (const finding of findings) count(home, finding, 1);
  home.fields_changed += changed;
  home.fields_kept += kept;
}

function count(home: SweptHome, finding: CopyFinding, more: number): void {
  if (more > 0) home.findings[finding] = (home.findings[finding] ?? 0) + more;
}
