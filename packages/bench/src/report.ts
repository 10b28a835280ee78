import type { Row } from './row.ts';
import type { Results } from './scenario.ts';

/** What a run has measured, and where. */
export interface Report extends Results {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seconds: number;
}

/** What stands between the marks in docs/performance.md is a report; all else there is written by people. */
const BEGIN = '<!-- report -->';
const END = '<!-- end of report -->';

const HEAD = [
  '',
  'what',
  'ours',
  'against',
  'unit',
  'ratio or difference',
  'spread over the rounds',
  'target',
  'met',
];

const cellsOf = ({ scenario, what, ours, against, unit, ratio, spread, target, met }: Row) => [
  scenario,
  what,
  ...[ours, against].map(String),
  unit,
  String(ratio),
  spread[0] === spread[1] ? '' : spread.join(' to '),
  target,
  met === null ? '' : met ? 'yes' : '**no**',
];

/** The report in Markdown, laid out as Prettier would: for a terminal, a file and the page alike. */
export function renderReport({ machine, seconds, rows, skipped }: Report): string {
  const { commit, cpu, cores, memory_gib: memory, system, node, redis } = machine;
  const where = `Commit \`${commit}\`, ${cpu}, ${cores} cores, ${memory} GiB, ${system}, Node ${node}, Redis ${redis}.`;
  const took = `The run took ${Math.round(seconds / 60)} minutes.`;
  const absent = skipped.map(({ scenario, reason }) => `${scenario} was not measured: ${reason}.`);
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, place) => Math.max(3, ...cells.map((line) => line[place]?.length ?? 0)));
  const [head, ...body] = cells.map((line) => line.map((cell, place) => cell.padEnd(widths[place] ?? 0)));
  const table = [head ?? [], widths.map((width) => '-'.repeat(width)), ...body];
  const lines = table.map((line) => `| ${line.join(' | ')} |`);
  return [`${where}\n${took}`, lines.join('\n'), ...absent].join('\n\n');
}

/** The page with `report` between its marks. Throws where they are missing. */
export function replaceReport(page: string, report: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${report}\n\n${page.slice(end)}`;
}

type Compared = Pick<Row, 'scenario' | 'what' | 'spread' | 'target'>;

/** An earlier report: what a row's figures were, and of which commit. */
export interface Earlier {
  readonly commit: string;
  readonly rows: readonly Compared[];
}

/** Reads what a run has printed, or the page that holds it. Text says why it is neither. */
export function readReport(text: string): Earlier | string {
  const rows = text.split('\n').flatMap((line): Compared[] => {
    const [, scenario = '', what = '', ours, , , ratio, spread = '', target = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    if (!/^S\d+$/.test(scenario) || Number.isNaN(Number(ratio ?? NaN))) return [];
    const [least, most] = spread.split(' to ').map(Number);
    // A spread without width is not printed; it is that of the figure which decides.
    const figure = Number(target.endsWith('in all') ? ours : ratio);
    const range: Compared['spread'] = spread === '' ? [figure, figure] : [least ?? NaN, most ?? NaN];
    return [{ scenario, what, spread: range, target }];
  });
  const commit = /^Commit `([0-9a-f]+)`/m.exec(text)?.[1];
  if (commit === undefined || rows.length === 0)
    return 'not a report of this bench: it has no table of figures';
  return { commit, rows };
}

/** Figures of one round have no spread; a difference below this share says nothing. */
const WITHOUT_SPREAD = 0.02;

/**
 * One line: what is better and worse than in an earlier report. A row has changed where the spreads of both runs do not
 * meet; rows that promise nothing are higher or lower, since nothing says which of the two is better.
 */
export function compareReports(rows: readonly Row[], earlier: Earlier): string {
  const keyOf = ({ scenario, what }: Compared): string => `${scenario} ${what}`;
  const before = new Map(earlier.rows.map((row) => [keyOf(row), row]));
  const said = new Map<string, string[]>(['worse', 'better', 'higher', 'lower'].map((word) => [word, []]));
  const olds = rows.map((row) => ({ row, old: before.get(keyOf(row)) }));
  let same = 0;
  for (const { row, old } of olds) {
    if (old === undefined) continue;
    const found = said.get(changeOf(old, row) ?? '');
    if (found === undefined) same += 1;
    else found.push(`${keyOf(row)} ${rangeOf(old)} → ${rangeOf(row)}`);
  }
  const changes = [...said].filter(([, found]) => found.length > 0);
  const listed = changes.map(([word, found]) => `${found.length} ${word} (${found.join('; ')})`);
  const added = olds.filter(({ old }) => old === undefined).length;
  const rest = [`${same} within the spread`, ...(added > 0 ? [`${added} not in that report`] : [])];
  return `Against ${earlier.commit}: ${[...listed, ...rest].join(', ')}.`;
}

const rangeOf = ({ spread }: Compared): string => [...new Set(spread)].join('-');

function changeOf({ spread }: Compared, now: Compared): 'worse' | 'better' | 'higher' | 'lower' | undefined {
  const margin = spread[0] === spread[1] ? Math.abs(spread[1]) * WITHOUT_SPREAD : 0;
  const isHigher = now.spread[0] > spread[1] + margin;
  if (!isHigher && now.spread[1] >= spread[0] - margin) return undefined;
  if (now.target.startsWith('≤')) return isHigher ? 'worse' : 'better';
  if (now.target.startsWith('≥')) return isHigher ? 'better' : 'worse';
  return isHigher ? 'higher' : 'lower';
}
