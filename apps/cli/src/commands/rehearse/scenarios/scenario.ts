import type { Stage } from '../stage.ts';

/** One thing that can happen, tried with people of its own: a sentence and a few steps. */
export interface Scenario {
  readonly id: string;
  /** What is expected, for people. */
  readonly says: string;
  /** Throws NotTried where this installation has nothing to try it with, and Differs where it cannot go on. */
  readonly run: (stage: Stage) => Promise<void>;
}
