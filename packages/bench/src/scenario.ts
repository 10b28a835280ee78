import type { Row } from './row.ts';

/** How a scenario is run. */
export interface Run {
  /** A smoke run: as few events and rounds as show that the scenario works; its figures mean nothing. */
  readonly isQuick: boolean;
  /** Says where a long scenario stands. */
  progress(text: string): void;
}

/** Measures one thing; throws where this machine cannot, see {@link NotHere}. */
export type Scenario = (run: Run) => Promise<readonly Row[]>;

/** What a scenario needs is not on this machine; the message says what. */
export class NotHere extends Error {}

/** So many events or rounds, or so few in a smoke run. */
export const many = ({ isQuick }: Run, full: number, quick: number): number => (isQuick ? quick : full);
