import { setTimeout as sleep } from 'node:timers/promises';
import type { Library } from '@passport/config';
import { type KohaPatron, KohaError, type PatronPage } from '@passport/koha-client';
import type { ActName } from '@passport/queue/audit';
import { translateRedisError } from '@passport/runtime';
import { attempt, type KohaOf, type OpenKoha, withKohas } from '../../connect/koha-clients.ts';
import { type OpenQueue, withQueueIf } from '../../connect/with-queue.ts';
import { openAudit } from '../../program/open-audit.ts';
import { type CopyEnds, openCopyEnds } from './copy-ends.ts';
import type { CliDeps, Report } from '../../program/index.ts';

// How every command that changes copies works: it decides about each, shows that as a plan, and with --apply carries it out, copy by
// copy. What a command adds are its decisions and their words.

/** One copy in a plan: what is found of it, and by which numbers it is known. */
export interface PlannedCopy<F extends string> {
  readonly lending: string;
  readonly patron_id: number | null;
  readonly home_key: string | null;
  readonly finding: F;
}

/** A copy, with what else the command knows of it. */
export type Planned<F extends string, E extends object> = PlannedCopy<F> & E;

/** What each finding means to the person; `good` ones are what the command does, all others are for them to look at. */
export type Meanings<F extends string> = Readonly<Record<F, { readonly good?: true; readonly says: string }>>;

/** What several commands find. */
export const SHARED_MEANINGS = {
  not_a_copy: { says: 'the record has no passport any more: it is the own patron of the library' },
  not_remembered: {
    says: 'the plugin does not remember that the service wrote into this record: it may be an own patron with a merged copy, or was made before version 1.1',
  },
  anonymized: { says: 'Koha has anonymised the record: it is never written' },
  key_taken: { says: 'another record has the home key already: the patron has two copies' },
  no_attribute_type: { says: 'the Koha does not have the attribute type' },
  changed_meanwhile: { says: 'somebody changed the record at this moment: repeat the command' },
  unreadable: { says: 'the record cannot be read' },
  failed: { says: 'a Koha did not answer: repeat the command' },
} as const satisfies Meanings<string>;

/** The command cannot go on at a library; `message` says why, for the person. */
export class CannotGoOn extends Error {
  override readonly name = 'CannotGoOn';
}

/** What a command works with at one lending library. */
export interface Place {
  readonly library: Library;
  readonly koha: OpenKoha;
  readonly kohaOf: KohaOf;
  /** Null: the work does not need it. */
  readonly open: OpenQueue | null;
  /** Null: nothing is carried out, or nothing that ends a copy. */
  readonly ends: CopyEnds | null;
  readonly signal: AbortSignal;
}

/** What a command does with the copies at one library. */
export interface CopiesAt<F extends string, E extends object> {
  /** What is found of each copy. Throws KohaError, CannotGoOn. */
  readonly plan: AsyncIterable<Planned<F, E>>;
  /**
   * Carries out what was found, by the record as it was read right before, with all attributes; null where it is not there any more.
   * Returns what is found now, or null of a copy that is not meant any more. None of it is broken off. Throws as `plan`.
   */
  readonly apply: (copy: Planned<F, E>, record: KohaPatron | null) => Promise<F | Planned<F, E> | null>;
  /** The pace at which that is done, where it has one. */
  readonly paced?: Pace;
  /** What earlier runs have left, before the first copy and after the last. */
  readonly settle?: () => Promise<readonly Planned<F, E>[]>;
}

/** A command on copies. */
export interface CopyWork<F extends string, E extends object> {
  /** For the audit, such as `copies_delete`, with what is the same in each of its lines. */
  readonly action: ActName;
  readonly audit?: object;
  /** What else is audited of a copy. */
  readonly auditOf?: (copy: Planned<F, E>) => object;
  readonly lenders: readonly Library[];
  /** The libraries whose Kohas are called; the lenders, if no others are. */
  readonly called?: readonly Library[];
  readonly applies: boolean;
  readonly needsQueue: boolean;
  readonly at: (place: Place) => CopiesAt<F, E> | Promise<CopiesAt<F, E>>;
  /** The findings that are carried out. */
  readonly todo: readonly F[];
  /** What is known of a record of which nothing is known. */
  readonly nothing: E;
}

/** Why a run ended before the last copy. */
interface StoppedRun {
  readonly code: 'interrupted' | 'redis';
  readonly message: string;
}

/** What a run has found, and done where it was to. */
export interface Ran<C> {
  readonly applied: boolean;
  readonly copies: readonly C[];
  readonly stopped: StoppedRun | null;
}

/**
 * Goes through the copies at the lending libraries, one after the other: one that fails does not stop the others. It ends early after
 * the copy in hand when the person interrupts, and where Redis fails. Whatever ends it, what was done until then is returned, and
 * audited.
 */
export async function goThrough<F extends string, E extends object>(
  work: CopyWork<F | 'failed', E>,
  report: Report,
  deps: CliDeps,
): Promise<Ran<Planned<F | 'failed', E>>> {
  const { called = work.lenders, needsQueue, applies } = work;
  const { signal, endsItself } = deps;
  const announce = (): void => report.progress('stopping after the copy in hand; a second time ends at once');
  try {
    return await withKohas(called, deps, (kohaOf) =>
      withQueueIf(needsQueue, deps, (open) => {
        // Until here nothing is in hand that an interrupt would have to wait for.
        endsItself?.();
        if (applies) signal.addEventListener('abort', announce, { once: true });
        return goThroughAll(work, { kohaOf, open }, report, deps);
      }),
    );
  } finally {
    signal.removeEventListener('abort', announce);
  }
}

async function goThroughAll<F extends string, E extends object>(
  work: CopyWork<F | 'failed', E>,
  { kohaOf, open }: Pick<Place, 'kohaOf' | 'open'>,
  { progress }: Report,
  deps: CliDeps,
): Promise<Ran<Planned<F | 'failed', E>>> {
  const { action, lenders, applies: applied, nothing } = work;
  const { signal } = deps;
  const audit = openAudit(deps, action, action.replace('_', ' '));
  const copies: Planned<F | 'failed', E>[] = [];
  const take = (copy: Planned<F | 'failed', E>): void => {
    const { lending, patron_id, home_key, finding: result } = copy;
    copies.push(copy);
    audit({ ...work.audit, lending, patron_id, home_key, ...work.auditOf?.(copy), result });
  };
  const takeAll = async (library: Library): Promise<void> => {
    const ends = applied && open !== null ? openCopyEnds(open, library, deps) : null;
    const place = { library, koha: kohaOf(library.id), kohaOf, open, ends, signal };
    for await (const copy of eachCopy(await work.at(place), place.koha, work, progress)) {
      take(copy);
      if (signal.aborted) return;
    }
  };
  for (const library of lenders) {
    if (signal.aborted) break;
    try {
      await takeAll(library);
    } catch (error) {
      const isKnown = error instanceof KohaError || error instanceof CannotGoOn;
      if (signal.aborted && (isKnown || isAbort(error))) break;
      if (!isKnown) return { applied, copies, stopped: stoppedByRedis(error) };
      progress(error.message);
      take({ lending: library.id, patron_id: null, home_key: null, finding: 'failed', ...nothing });
    }
  }
  const stopped = signal.aborted ? ({ code: 'interrupted', message: 'interrupted' } as const) : null;
  return { applied, copies, stopped };
}

async function* eachCopy<F extends string, E extends object>(
  { plan, apply, paced = (call) => call(), settle }: CopiesAt<F | 'failed', E>,
  koha: OpenKoha,
  { todo, applies }: CopyWork<F | 'failed', E>,
  progress: Report['progress'],
): AsyncGenerator<Planned<F | 'failed', E>, void, undefined> {
  if (settle !== undefined) yield* await settle();
  for await (const copy of plan) {
    const { patron_id: id, finding } = copy;
    if (!applies || id === null || !todo.includes(finding)) {
      yield copy;
      continue;
    }
    const carryOut = () => paced(async () => apply(copy, await koha.readPatron(id)));
    const done = await orFailed(carryOut, progress);
    if (done !== null) yield typeof done === 'string' ? { ...copy, finding: done } : done;
  }
  if (settle !== undefined) yield* await settle();
}

/** A Koha that fails at one copy stops nobody. */
async function orFailed<T>(carryOut: () => Promise<T>, progress: Report['progress']): Promise<T | 'failed'> {
  const tried = await attempt(carryOut());
  if ('value' in tried) return tried.value;
  progress(tried.error.message);
  return 'failed';
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** What a failure of Redis means for the run; bugs are thrown on. */
function stoppedByRedis(error: unknown): StoppedRun {
  const { kind, message } = translateRedisError(error);
  if (kind === 'bug') throw error;
  return { code: 'redis', message };
}

/** The plan for a list: what is found of the copies of each page, and who is there and cannot be read. */
export async function* planList<F extends string, E extends object>(
  { id: lending }: Library,
  pages: AsyncIterable<PatronPage>,
  nothing: E,
  decide: (copies: readonly KohaPatron[]) => AsyncIterable<Planned<F, E>>,
): AsyncGenerator<Planned<F | 'unreadable', E>, void, undefined> {
  for await (const { patrons, unreadable, broken } of pages) {
    for (const id of [...unreadable, ...Array<null>(broken).fill(null)])
      yield { lending, patron_id: id, home_key: null, finding: 'unreadable', ...nothing };
    if (patrons.length > 0) yield* decide(patrons);
  }
}

/** How a plan is printed: every copy or only those to look at, each as a line, and what `--json` has beside them. */
interface Printing<C> {
  readonly shows?: 'doubtful' | 'all';
  readonly lineOf?: (copy: C) => string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Prints the copies that a person has to look at, and how many there are of each finding. Returns the exit code. */
export function printPlan<F extends string, C extends PlannedCopy<F>>(
  { applied, copies, stopped }: Ran<C>,
  meanings: Meanings<F>,
  { shows = 'doubtful', lineOf = lineBy(meanings), more = {} }: Printing<C>,
  { line, json, progress }: Report,
): 0 | 1 {
  const doubtful = copies.filter(({ finding }) => meanings[finding].good !== true);
  for (const copy of shows === 'all' ? copies : doubtful) line(lineOf(copy));
  const counts = countsOf(copies.map(({ finding }) => finding));
  for (const [finding, count] of Object.entries(counts)) line(`${String(count).padStart(6)}  ${finding}`);
  if (copies.length === 0) line('no copies');
  if (!applied) progress('this is the plan: nothing was changed; --apply does it');
  if (stopped !== null) {
    progress(`${stopped.message}: stopped after these ${copies.length} copies; the others are as they were`);
    progress('repeat the command: it goes on where this one ended');
  }
  json({ applied, stopped, counts, copies, ...more });
  return doubtful.length === 0 && stopped === null ? 0 : 1;
}

const lineBy =
  <F extends string>(meanings: Meanings<F>) =>
  ({ lending, patron_id: id, home_key: key, finding }: PlannedCopy<F>): string =>
    `${lending} ${id ?? '-'}  ${key ?? '-'}  ${finding}: ${meanings[finding].says}`;

/** Counts by name, the most first. */
export function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

/** Makes a call when its time has come. */
export type Pace = <T>(call: () => Promise<T>) => Promise<T>;

/** The longest pause: a Koha that takes longer to answer is not in danger of being called too often. */
const LONGEST_MS = 5_000;

/**
 * Makes one call after the other, and after each a pause of the same length: at most half of one web worker of a Koha is ever used,
 * whatever its size, and the desks have the remainder.
 */
export function buildPace(signal: AbortSignal): Pace {
  let pauseMs = 0;
  return async (call) => {
    await sleep(Math.min(pauseMs, LONGEST_MS), undefined, { signal });
    const startedAt = performance.now();
    try {
      return await call();
    } finally {
      pauseMs = performance.now() - startedAt;
    }
  };
}
