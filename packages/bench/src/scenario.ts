import type { Measured, Row } from './row.ts';

/** How a scenario is run. */
export interface Run {
  /** A smoke run: as few events and rounds as show that the scenario works; its figures mean nothing. */
  readonly isQuick: boolean;
  /** Says where a long scenario stands. */
  progress(text: string): void;
}

/** Measures one thing; throws where this machine cannot, see {@link NotHere}. */
export type Scenario = (run: Run) => Promise<readonly Measured[]>;

/** What a scenario needs is not on this machine; the message says what. */
export class NotHere extends Error {}

/** So many events or rounds, or so few in a smoke run. */
export const many = ({ isQuick }: Run, full: number, quick: number): number => (isQuick ? quick : full);

/** Measures so many rounds, one in a smoke run, one after the other, and says which it is at. */
export function inRounds<Round>(
  run: Run,
  full: number,
  measure: (round: number) => Promise<Round>,
  what = 'round',
): Promise<Round[]> {
  const total = many(run, full, 1);
  return repeat(total, (round) => {
    run.progress(`${what} ${round + 1} of ${total}`);
    return measure(round);
  });
}

/** Does something so often, one after the other. */
export async function repeat<Result>(
  times: number,
  act: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  while (results.length < times) results.push(await act(results.length));
  return results;
}

export interface Results {
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly scenario: string; readonly reason: string }[];
}

/** Runs scenarios one after the other; in a smoke run several at once, since its figures mean nothing. */
export async function runScenarios(
  scenarios: readonly (readonly [string, Scenario])[],
  run: Run,
): Promise<Results> {
  const ran = new Map<string, Results>();
  const left = [...scenarios];
  const runNext = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      run.progress(next[0]);
      ran.set(next[0], await runOne(...next, run));
    }
  };
  await Promise.all(Array.from({ length: run.isQuick ? 4 : 1 }, runNext));
  const inOrder = scenarios.flatMap(([name]) => ran.get(name) ?? []);
  return {
    rows: inOrder.flatMap(({ rows }) => rows),
    skipped: inOrder.flatMap(({ skipped }) => skipped),
  };
}

async function runOne(scenario: string, measure: Scenario, { isQuick, progress }: Run): Promise<Results> {
  try {
    const rows = await measure({ isQuick, progress: (text) => progress(`${scenario} ${text}`) });
    return { rows: rows.map((row) => ({ scenario, ...row })), skipped: [] };
  } catch (error) {
    if (error instanceof NotHere) return { rows: [], skipped: [{ scenario, reason: error.message }] };
    throw error;
  }
}

/** Rows in which something was not measured: a bench that measures nothing must not look as if it did. */
export const brokenRows = <Any extends Measured>(rows: readonly Any[]): readonly Any[] =>
  rows.filter((row) => ![row.ours, row.against, row.ratio, ...row.spread].every(Number.isFinite));
