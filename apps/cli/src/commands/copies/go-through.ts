import type { Library } from '@passport/config';
import { type KohaPatron, KohaError, PATRONS_A_PAGE } from '@passport/koha-client';
import { translateRedisError } from '@passport/runtime';
import type { CliDeps } from '../../program/cli-deps.ts';
import type { Report } from '../../program/report.ts';
import { inBatches } from './in-batches.ts';
import type { PlannedCopy, StoppedRun } from './plan.ts';
import type { CopyRow } from './read-copies.ts';

/** The command cannot go on at a library; `message` says why, for the person. */
export class CannotGoOn extends Error {
  override readonly name = 'CannotGoOn';
}

/** How a command goes through copies. */
interface Passage<C> {
  /** All copies at a library that are meant, each decided, and with `applies` written. */
  readonly at: (library: Library) => AsyncIterable<C>;
  /** What is listed of a library that cannot be read. */
  readonly failed: (library: Library) => C;
  /** The audit. */
  readonly pass: (copy: C) => void;
  readonly applies: boolean;
}

/**
 * Goes through the copies at libraries, one after the other: one that fails does not stop the others. It ends early after the copy in
 * hand when the person interrupts, and where Redis fails. Whatever ends it, what was done until then is returned.
 */
export async function goThrough<C extends PlannedCopy<string>>(
  libraries: readonly Library[],
  { at, failed, pass, applies }: Passage<C>,
  { progress }: Report,
  { signal, endsItself }: CliDeps,
): Promise<{ readonly copies: readonly C[]; readonly stopped: StoppedRun | null }> {
  const copies: C[] = [];
  const take = (copy: C): void => {
    copies.push(copy);
    pass(copy);
  };
  const takeAll = async (library: Library): Promise<void> => {
    for await (const copy of at(library)) {
      take(copy);
      if (signal.aborted) return;
    }
  };
  endsItself?.();
  const announce = (): void => progress('stopping after the copy in hand; a second time ends at once');
  if (applies) signal.addEventListener('abort', announce, { once: true });
  try {
    for (const library of libraries) {
      if (signal.aborted) break;
      try {
        await takeAll(library);
      } catch (error) {
        const isKnown = error instanceof KohaError || error instanceof CannotGoOn;
        if (signal.aborted && (isKnown || isAbort(error))) break;
        if (!isKnown) return { copies, stopped: stoppedByRedis(error) };
        progress(error.message);
        take(failed(library));
      }
    }
  } finally {
    signal.removeEventListener('abort', announce);
  }
  return { copies, stopped: signal.aborted ? { code: 'interrupted', message: 'interrupted' } : null };
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** What a failure of Redis means for the run; bugs are thrown on. */
function stoppedByRedis(error: unknown): StoppedRun {
  const { kind, message } = translateRedisError(error);
  if (kind === 'bug') throw error;
  return { code: 'redis', message };
}

/** What is done with each copy of a list. */
interface CopyWork<C> {
  readonly unreadable: C;
  /** What is found of the copies of a batch that are meant. */
  readonly decide: (copies: readonly KohaPatron[]) => AsyncIterable<C>;
  /** Does what was found, after another look at the record; null of a copy that is not meant any more. */
  readonly write: (copy: C) => Promise<C | null>;
}

/** Decides, and writes, copies of a list, 100 at a time. Throws KohaError where the list or `decide` fails. */
export async function* eachCopy<C>(
  rows: AsyncIterable<CopyRow>,
  { unreadable, decide, write }: CopyWork<C>,
): AsyncGenerator<C, void, undefined> {
  for await (const batch of inBatches(rows, PATRONS_A_PAGE)) {
    for (const row of batch) if (row === null) yield unreadable;
    for await (const copy of decide(batch.filter((row) => row !== null))) {
      const done = await write(copy);
      if (done !== null) yield done;
    }
  }
}

/** What became of a write: a Koha that fails at one copy stops nobody. */
export async function orFailed<F>(write: () => Promise<F>): Promise<F | 'failed'> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof KohaError) return 'failed';
    throw error;
  }
}
