import { type OpenFindingCode, isOpenFinding } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { type OpenFinding, readFindings } from '../copies/index.ts';
import { readSweep } from './sweeps.ts';

/** One finding of one copy that somebody has to look at. */
export interface WorkItem extends OpenFinding {
  readonly finding: OpenFindingCode;
  /** Found by the last sweep, or since, and not before. */
  readonly isNew: boolean;
}

/** What there is to do about the copies at one lending library. */
export interface Worklist {
  /** The latest first. */
  readonly items: readonly WorkItem[];
  /** What somebody has looked at, and wants to stay as it is. */
  readonly kept: readonly WorkItem[];
  /** When the last sweep began that has ended; null: there was none. */
  readonly sweptMs: number | null;
  /** Home libraries that did not answer, or hide their patrons: of their copies the list may lack something. */
  readonly unread: readonly string[];
}

/** Reads what there is to do about the copies at a lending library. A finding that this version does not know is left out. */
export async function readWorklist(redis: Redis, library: string): Promise<Worklist> {
  const [found, sweep] = await Promise.all([readFindings(redis, library), readSweep(redis, library, false)]);
  const sweptMs = sweep === null ? null : sweep.ended_ms === null ? sweep.last_ms : sweep.started_ms;
  const items = found.flatMap(({ finding, ...more }): WorkItem[] =>
    isOpenFinding(finding) ? [{ ...more, finding, isNew: sweptMs === null || more.sinceMs >= sweptMs }] : [],
  );
  const unread = Object.entries(sweep?.homes ?? {}).flatMap(([home, { state }]) =>
    state === 'down' || state === 'blind' || state === 'cut' ? [home] : [],
  );
  return {
    items: items.filter(({ isKept }) => !isKept),
    kept: items.filter(({ isKept }) => isKept),
    sweptMs,
    unread,
  };
}
