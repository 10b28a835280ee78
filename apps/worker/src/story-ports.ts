import type { Answer } from '@passport/verdict';
import type { RunEnd } from './ending.ts';
import type { Scan } from './scan.ts';

/** Asks one home library for a card; `balance`: with what the patron owes. Throws for bugs only. */
export type AskHome = (
  library: string,
  card: string,
  balance: boolean,
  signal: AbortSignal,
) => Promise<Answer>;

/** Null when the event may go on; a wait when its library has used up its hour. */
export type TakeUp = (scan: Scan) => Promise<Extract<RunEnd, { kind: 'waiting' }> | null>;

/** Waits for the turn of a home key at a lending library; null when it does not come in time. */
export type TakeTurn = (
  lending: string,
  homeKey: string,
  signal: AbortSignal,
) => Promise<(() => Promise<void>) | null>;
