import type { Library } from '@passport/config';
import { type CopiesWanted, type ListedPage, listPages } from '@passport/koha-client';
import { type CopyFinding, libraryById } from '@passport/patron-rules';
import type { FoundCopy, ReadCopyRecords } from '@passport/queue/copies';
import type { SweepState, SweptHome } from '@passport/queue/sweeps';
import type { Encryption, Logger } from '@passport/runtime';
import type { Slice } from '../koha/slice.ts';
import type { SweepCall } from '../koha/sweep-calls.ts';
import type { PassOn } from './pass-on.ts';
import type { CopiesContext } from '../work-context.ts';

/** What one sweep may take of a lending library, whatever that says it has: a million copies, listed twice, in half a day. */
export const SWEEP_LIMITS = {
  pages: 20_000,
  rows: 2_000_000,
  ms: 12 * 3_600_000,
  /** Home keys that are kept of those that a home did not answer for; the others are counted. Of fifty thousand copies more is a home that hides them. */
  keptMissing: 1_000,
};

export interface SweepDeps extends Pick<CopiesContext, 'consortium' | 'now'> {
  readonly call: SweepCall;
  readonly passOn: PassOn;
  /** The service's own records of copies, where one gets another home key. */
  readonly records: {
    /** The copy on record with this home key at a lending library; null where there is none. */
    find(lending: string, homeKey: string): Promise<number | null>;
    rekey(
      lending: string,
      copy: { readonly patronId: number; readonly from: string; readonly to: string },
    ): Promise<unknown>;
  };
  readonly log: Pick<Logger, 'info'>;
  /** What the service itself knows of copies at a library. */
  readonly readRecords: ReadCopyRecords;
  readonly encryption: Pick<Encryption, 'hash' | 'hashes'>;
  /** What the lending Koha's own description allows. */
  readonly accepts: (property: string) => boolean;
  /** Keeps how far the sweep is: another worker goes on from there. Throws where it must not go on. */
  readonly save: (state: SweepState) => Promise<void>;
  /** Home keys that the home which is worked on did not answer for. */
  readonly unanswered: {
    clear(): Promise<void>;
    add(homeKeys: readonly string[]): Promise<void>;
    /** Notes who is missing at a home, and returns since when. */
    note(home: string): Promise<ReadonlyMap<string, number>>;
    /** Forgets who was missing at these homes, which have no copies any more. */
    forget(homes: readonly string[]): Promise<void>;
  };
  /** Keeps what is open of each copy; a dry run keeps nothing. */
  readonly findings: {
    note(copies: readonly FoundCopy[]): Promise<void>;
    /** Forgets the copies of these homes that this sweep has not come across. */
    prune(isOf: (home: string) => boolean): Promise<void>;
  };
  readonly slice: Pick<Slice, 'endIfOver'>;
  readonly limits: typeof SWEEP_LIMITS;
}

/** A limit of the sweep is reached: what is left of the copies is not looked at. */
export class SweepCut extends Error {}

type Moving<T> = { -readonly [K in keyof T]: T[K] };

/** A sweep on its way: where it is, whose copies they are, and what it may use. The numbers of its state are changed as it goes. */
export interface Sweep {
  readonly state: Moving<SweepState>;
  readonly lending: Library;
  readonly deps: SweepDeps;
  /** Missing since the last save. */
  readonly missing: string[];
  /** Looked at since the last save. */
  readonly found: FoundCopy[];
}

/** What a sweep over the copies of these home libraries begins with. */
export function newSweep(
  of: Pick<SweepState, 'id' | 'job' | 'library' | 'mode' | 'dry_run'>,
  before: SweepState | null,
  { homes, nowMs }: { readonly homes: Iterable<string>; readonly nowMs: number },
): SweepState {
  return {
    ...of,
    started_ms: nowMs,
    ended_ms: null,
    failed: null,
    after: 0,
    missing: 0,
    looked_up: 0,
    pages: 0,
    rows: 0,
    homes: Object.fromEntries([...homes].map((home) => [home, newHome()])),
    unknown: {},
    copies_before: copiesOf(before),
    last_full_ms: before?.last_full_ms ?? null,
    last_ms: before?.last_ms ?? null,
  };
}

export const newHome = (): SweptHome => ({
  state: 'waiting',
  copies: 0,
  findings: {},
  fields_changed: 0,
  fields_kept: 0,
});

/** A new sweep, or one that goes on. */
export function openSweep(begun: SweepState, deps: SweepDeps): Sweep {
  const state: Moving<SweepState> = structuredClone(begun);
  return { state, lending: libraryById(deps.consortium, state.library), deps, missing: [], found: [] };
}

/** Saves where the sweep is: in the same size, however much is missing. */
export async function save({ state, deps, missing, found }: Sweep): Promise<void> {
  await deps.findings.note(found.splice(0));
  await deps.unanswered.add(missing.splice(0));
  await deps.save(state);
}

/**
 * The pages of a list of copies, each call of it one of the sweep's, and counted. Between two of them the slice may end; the
 * first one is read in any case, so that each slice comes further. Throws SweepCut where there are too many.
 */
export async function* pagesOf(of: CopiesWanted, sweep: Sweep): AsyncGenerator<ListedPage, void, undefined> {
  const { state, lending, deps } = sweep;
  const { limits, now } = deps;
  let beginsAfter = of.after;
  const pages = listPages({ library: lending.id, of }, (wanted, part) => {
    // A page that Koha fails at or hides is read in several calls, which begin after the same number.
    if (wanted.after !== beginsAfter) deps.slice.endIfOver('pages');
    beginsAfter = wanted.after;
    if (state.pages >= limits.pages || state.rows >= limits.rows || now() - state.started_ms >= limits.ms) {
      throw new SweepCut();
    }
    return deps.call(lending.id, (koha) => koha.readCopies(wanted, part));
  });
  for await (const page of pages) {
    state.pages += 1;
    state.rows += page.rows;
    yield page;
  }
}

/** Keeps who is missing, up to a limit; counts them all. */
export function addMissing({ state, deps, missing }: Sweep, homeKey: string): void {
  state.missing += 1;
  if (state.missing <= deps.limits.keptMissing) missing.push(homeKey);
}

/** Counts a finding of so many copies of a home. */
export function count(home: SweptHome, finding: CopyFinding, more: number): void {
  if (more > 0) home.findings[finding] = (home.findings[finding] ?? 0) + more;
}

/**
 * The copies of a home that the sweep asks it about: those on record. Others say nothing of what the home shows, nor do those that are
 * merged into patrons of the lending library.
 */
export function askedAbout({ copies, findings }: SweptHome): number {
  const { NOT_ON_RECORD: unrecorded = 0, MERGED_INTO_NATIVE: merged = 0 } = findings;
  return copies - unrecorded - merged;
}

/** How many each home was asked about by a sweep that has ended; one that was cut short at a home did not count all of them. */
export function copiesOf(before: SweepState | null): Record<string, number> {
  const all = (id: string, home: SweptHome): number =>
    home.state === 'done' ? askedAbout(home) : Math.max(askedAbout(home), before?.copies_before[id] ?? 0);
  return Object.fromEntries(Object.entries(before?.homes ?? {}).map(([id, home]) => [id, all(id, home)]));
}
