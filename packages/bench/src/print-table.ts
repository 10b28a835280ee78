import type { Row } from './row.ts';

const COLUMNS = ['', 'what', 'ours', 'against', 'unit', 'ratio', 'spread', 'target', 'met'] as const;

/** The rows as a table for people; numbers to the right. */
export function printTable(rows: readonly Row[]): string {
  const lines = [COLUMNS, ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, place) => Math.max(...lines.map((line) => (line[place] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, place) =>
          isNumeric(place) ? cell.padStart(widths[place] ?? 0) : cell.padEnd(widths[place] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const isNumeric = (place: number): boolean =>
  ['ours', 'against', 'ratio', 'spread'].includes(COLUMNS[place] ?? '');

function cellsOf(row: Row): readonly string[] {
  const { scenario, what, ours, against, unit, ratio, spread, target, met } = row;
  const mark = met === null ? '' : met ? 'yes' : 'NO';
  return [
    scenario,
    what,
    String(ours),
    String(against),
    unit,
    String(ratio),
    spread[0] === spread[1] ? '' : `${spread[0]} - ${spread[1]}`,
    target,
    mark,
  ];
}
