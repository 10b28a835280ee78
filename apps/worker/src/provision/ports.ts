import type { Answer } from '@passport/patron-rules';
import type { RunEnd } from './ending.ts';
import type { HeldLock } from '../job/job-lock.ts';
import type { Scan } from './scan.ts';

/** Asks one home library for a card until `deadline`, or until the job has to `stop`. Throws for bugs only. */
export type AskHome = (
  library: string,
  card: string,
  how: { readonly balance: boolean; readonly deadline: AbortSignal; readonly stop: AbortSignal },
) => Promise<Answer>;

/** Null when the event may go on; a wait when its library has used up its hour. */
export type TakeUp = (scan: Scan) => Promise<Extract<RunEnd, { kind: 'waiting' }> | null>;

/** What came of work that needs the place where a library's copies are created. */
export type Placed<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** Nothing was begun: others are before it. */
  | { readonly kind: 'busy'; readonly freeInMs: number };

/** Does `work` as the only one who creates at the scan's lending library; it begins once the place is had. */
export type InPlace = <T>(scan: Scan, lock: HeldLock, work: () => Promise<T>) => Promise<Placed<T>>;

/**
 * Does `work` in the turn of a home key at the scan's lending library; null when the turn does not come in time, or ran
 * out before all was written. `work` gets the lock that says for how long it may write.
 */
export type InTurn = <T>(
  scan: Scan,
  homeKey: string,
  lock: HeldLock,
  work: (held: HeldLock) => Promise<T>,
) => Promise<T | null>;
