import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Row } from './row.ts';
import type { Report } from './scenario.ts';

/** What a run has measured, and where. */
interface MeasuredReport extends Pick<Report, 'rows' | 'skipped'> {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly seconds: number;
}

const FILE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
/** What stands between the marks is written by this file; all else there is written by people. */
const BEGIN = '<!-- report -->';
const END = '<!-- end of report -->';

/** The columns of a row: what heads it on the page and on a terminal, and its value there. */
function cellsOf(row: Row, isPage: boolean): readonly (readonly [title: string, value: string])[] {
  const { scenario, what, ours, against, unit, ratio, target, met } = row;
  const [least, most] = row.spread;
  const spread = least === most ? '' : [least, most].join(isPage ? ' to ' : ' - ');
  return [
    ['', scenario],
    ['what', what],
    ['ours', String(ours)],
    ['against', String(against)],
    ['unit', unit],
    [isPage ? 'ratio or difference' : 'ratio', String(ratio)],
    [isPage ? 'spread over the rounds' : 'spread', spread],
    ['target', target],
    ['met', met === null ? '' : met ? 'yes' : isPage ? '**no**' : 'NO'],
  ];
}

/** All lines with their cells of one width each; the first one is the head. */
function linesOf(rows: readonly Row[], isPage: boolean): readonly (readonly string[])[] {
  const cells = rows.map((row) => cellsOf(row, isPage));
  const head = cells[0]?.map(([title]) => title) ?? [];
  const lines = [head, ...cells.map((row) => row.map(([, value]) => value))];
  const widths = head.map((_, place) =>
    Math.max(isPage ? 3 : 0, ...lines.map((line) => line[place]?.length ?? 0)),
  );
  const isNumeric = (place: number): boolean =>
    !isPage && /^(?:ours|against|ratio|spread)$/.test(head[place] ?? '');
  return lines.map((line) =>
    line.map((cell, place) => cell[isNumeric(place) ? 'padStart' : 'padEnd'](widths[place] ?? 0)),
  );
}

/** The rows as a table for people; numbers to the right. */
export const printTable = (rows: readonly Row[]): string =>
  linesOf(rows, false)
    .map((line) => line.join('  ').trimEnd())
    .join('\n');

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
  const [head = [], ...body] = linesOf(rows, true);
  const table = [head, head.map((cell) => '-'.repeat(cell.length)), ...body].map(
    (line) => `| ${line.join(' | ')} |`,
  );
  return [[where, took].join('\n'), table.join('\n'), ...absent].join('\n\n');
}
