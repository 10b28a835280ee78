import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Row } from './row.ts';
import type { Report } from './run-scenarios.ts';

/** What a run has measured, and where. */
export interface MeasuredReport extends Pick<Report, 'rows' | 'skipped'> {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seconds: number;
}

const FILE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
/** What stands between the marks is written by this file; all else there is written by people. */
const BEGIN = '<!-- report -->';
const END = '<!-- end of report -->';

const COLUMNS: readonly (readonly [title: string, value: (row: Row) => string])[] = [
  ['', ({ scenario }) => scenario],
  ['what', ({ what }) => what],
  ['ours', ({ ours }) => String(ours)],
  ['against', ({ against }) => String(against)],
  ['unit', ({ unit }) => unit],
  ['ratio or difference', ({ ratio }) => String(ratio)],
  ['spread over the rounds', ({ spread: [least, most] }) => (least === most ? '' : `${least} to ${most}`)],
  ['target', ({ target }) => target],
  ['met', ({ met }) => (met === null ? '' : met ? 'yes' : '**no**')],
];

/** Replaces the last report in `docs/performance.md`; returns the name of the file. */
export async function writeReport(report: MeasuredReport): Promise<string> {
  const page = await readFile(FILE, 'utf8');
  await writeFile(FILE, replaceReport(page, renderReport(report)));
  return FILE;
}

/** The page with `report` between its marks. Throws where they are missing. */
export function replaceReport(page: string, report: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${report}\n\n${page.slice(end)}`;
}

/** The report in Markdown, laid out as Prettier would. */
export function renderReport({ machine, seconds, rows, skipped }: MeasuredReport): string {
  const { commit, cpu, cores, memory_gib: memory, system, node, redis } = machine;
  const where = `Commit \`${commit}\`, ${cpu}, ${cores} cores, ${memory} GiB, ${system}, Node ${node}, Redis ${redis}.`;
  const took = `The run took ${Math.round(seconds / 60)} minutes.`;
  const absent = skipped.map(({ scenario, reason }) => `${scenario} was not measured: ${reason}.`);
  return [[where, took].join('\n'), renderTable(rows), ...absent].join('\n\n');
}

function renderTable(rows: readonly Row[]): string {
  const lines = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, value]) => value(row))),
  ];
  const widths = COLUMNS.map((_, place) => Math.max(3, ...lines.map((line) => (line[place] ?? '').length)));
  const [head = '', ...body] = lines.map((line) =>
    renderLine(line.map((cell, place) => cell.padEnd(widths[place] ?? 0))),
  );
  return [head, renderLine(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

const renderLine = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
