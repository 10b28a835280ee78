import type { Row } from './row.ts';
import { NotHere, type Scenario } from './scenario.ts';

export interface Report {
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly scenario: string; readonly reason: string }[];
  /** Of each scenario. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** Runs scenarios one after the other; in a smoke run several at once, since its figures mean nothing. */
export async function runScenarios(
  scenarios: readonly (readonly [string, Scenario])[],
  how: { readonly isQuick: boolean; progress(text: string): void },
): Promise<Report> {
  const atOnce = how.isQuick ? 4 : 1;
  const ran = new Map<string, Omit<Report, 'seconds'> & { readonly seconds: number }>();
  const left = [...scenarios];
  const runNext = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [name, measure] = next;
      how.progress(name);
      const startedAt = performance.now();
      const { rows, skipped } = await runOne(name, measure, how);
      ran.set(name, { rows, skipped, seconds: Math.round((performance.now() - startedAt) / 1_000) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runNext));
  const inOrder = scenarios.flatMap(([name]) => ran.get(name) ?? []);
  return {
    rows: inOrder.flatMap(({ rows }) => rows),
    skipped: inOrder.flatMap(({ skipped }) => skipped),
    seconds: Object.fromEntries(scenarios.map(([name]) => [name, ran.get(name)?.seconds ?? 0])),
  };
}

async function runOne(
  scenario: string,
  measure: Scenario,
  { isQuick, progress }: Parameters<typeof runScenarios>[1],
): Promise<Pick<Report, 'rows' | 'skipped'>> {
  try {
    const rows = await measure({ isQuick, progress: (text) => progress(`${scenario} ${text}`) });
    return { rows, skipped: [] };
  } catch (error) {
    if (error instanceof NotHere) return { rows: [], skipped: [{ scenario, reason: error.message }] };
    throw error;
  }
}

/** Rows in which something was not measured: a bench that measures nothing must not look as if it did. */
export const brokenRows = (rows: readonly Row[]): readonly Row[] =>
  rows.filter((row) => ![row.ours, row.against, row.ratio, ...row.spread].every(Number.isFinite));
