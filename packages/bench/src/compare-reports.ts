import { z } from 'zod';
import type { Row } from './row.ts';

/** What two reports have in common of a row. */
const RowSchema = z.object({
  scenario: z.string(),
  what: z.string(),
  ratio: z.number(),
  spread: z.tuple([z.number(), z.number()]).readonly(),
  target: z.string(),
});
type Compared = z.infer<typeof RowSchema>;
const ReportSchema = z.object({ machine: z.object({ commit: z.string() }), rows: z.array(RowSchema) });

/** An earlier report: what a row's figures were, and of which commit. */
export interface Earlier {
  readonly commit: string;
  readonly rows: readonly Compared[];
}

/** Figures of one round have no spread; a difference below this share says nothing. */
const WITHOUT_SPREAD = 0.02;

/**
 * Reads a report: what `--json` printed, or the page that `--write-report` writes.
 * Text says why it is neither.
 */
export function readReport(text: string): Earlier | string {
  if (!text.trimStart().startsWith('{')) return readPage(text);
  try {
    const report = ReportSchema.safeParse(JSON.parse(text));
    if (!report.success) return `not a report of this bench: ${z.prettifyError(report.error)}`;
    return { commit: report.data.machine.commit, rows: report.data.rows };
  } catch (error) {
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function readPage(page: string): Earlier | string {
  const rows = page.split('\n').flatMap((line) => {
    const [, scenario = '', what = '', ours = '', , , ratio, spread = '', target = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    if (!/^S\d+$/.test(scenario) || Number.isNaN(Number(ratio ?? NaN))) return [];
    const [least, most] = spread.split(' to ').map(Number);
    // A spread without width is not printed; it is that of the figure which decides.
    const figure = Number(target.endsWith('in all') ? ours : ratio);
    const range: Compared['spread'] = spread === '' ? [figure, figure] : [least ?? NaN, most ?? NaN];
    return [{ scenario, what, ratio: Number(ratio), spread: range, target }];
  });
  const commit = /^Commit `([0-9a-f]+)`/m.exec(page)?.[1];
  if (commit === undefined || rows.length === 0)
    return 'not a report of this bench: it has no table of figures';
  return { commit, rows };
}

/**
 * One line: what is better and worse than in an earlier report. A row has changed where the spreads of both runs do not
 * meet; rows that promise nothing are higher or lower, since nothing says which of the two is better.
 */
export function compareReports(rows: readonly Row[], earlier: Earlier): string {
  const keyOf = ({ scenario, what }: Compared): string => `${scenario} ${what}`;
  const before = new Map(earlier.rows.map((row) => [keyOf(row), row]));
  const said = new Map<string, string[]>([
    ['worse', []],
    ['better', []],
    ['higher', []],
    ['lower', []],
  ]);
  let same = 0;
  let added = 0;
  for (const row of rows) {
    const old = before.get(keyOf(row));
    const direction = old === undefined ? undefined : changeOf(old, row);
    if (old === undefined) added += 1;
    else if (direction === undefined) same += 1;
    else said.get(direction)?.push(`${keyOf(row)} ${rangeOf(old)} → ${rangeOf(row)}`);
  }
  const changes = [...said].filter(([, found]) => found.length > 0);
  const listed = changes.map(([word, found]) => `${found.length} ${word} (${found.join('; ')})`);
  const rest = [`${same} within the spread`, ...(added > 0 ? [`${added} not in that report`] : [])];
  return `Against ${earlier.commit}: ${[...listed, ...rest].join(', ')}.`;
}

const rangeOf = ({ spread: [least, most] }: Compared): string =>
  least === most ? String(least) : `${least}-${most}`;

function changeOf(old: Compared, now: Compared): 'worse' | 'better' | 'higher' | 'lower' | undefined {
  const [oldLeast, oldMost] = widened(old.spread);
  const [least, most] = now.spread;
  const isHigher = least > oldMost;
  if (!isHigher && most >= oldLeast) return undefined;
  if (now.target.startsWith('≤')) return isHigher ? 'worse' : 'better';
  if (now.target.startsWith('≥')) return isHigher ? 'better' : 'worse';
  return isHigher ? 'higher' : 'lower';
}

function widened([least, most]: Compared['spread']): Compared['spread'] {
  const margin = least === most ? Math.abs(most) * WITHOUT_SPREAD : 0;
  return [least - margin, most + margin];
}
