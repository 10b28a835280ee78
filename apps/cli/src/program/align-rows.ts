type Row = readonly string[];

/** Rows as lines of text with their columns below each other; those named in `right`, which hold numbers, to the right. */
export function alignRows(
  rows: readonly Row[],
  { right = [] }: { readonly right?: readonly number[] } = {},
): string[] {
  const widths = [...(rows[0] ?? []).keys()].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A name that is longer does not move the texts of the others: its own begins below it. */
const LONGEST_NAME = 32;

/** For each row of a name and a text its lines, of at most `width` characters: the text continues below where it began. */
export function nameRows(
  rows: readonly (readonly [name: string, text: string])[],
  width: number,
): string[][] {
  const longest = Math.min(LONGEST_NAME, width - NARROWEST_TEXT - 2);
  const names = rows.map(([name]) => name.length).filter((length) => length <= longest);
  const used = Math.max(0, ...names);
  return rows.map(([name, text]) => {
    const [first = '', ...more] = foldLine(text, width - used - 2);
    const indented = more.map((part) => `${' '.repeat(used)}  ${part.trimStart()}`);
    if (name.length > used) return [name, `${' '.repeat(used)}  ${first}`, ...indented];
    return [`${name.padEnd(used)}  ${first}`, ...indented];
  });
}

/** A table as it is printed: the lines of its heading, those of its rows, and the columns that are left out. */
export interface FittedTable {
  readonly heading: readonly string[];
  readonly lines: readonly string[];
  /** Nothing is in them. */
  readonly leftOut: readonly string[];
}

/** Text in a column that is narrower is hard to read: it has lines of its own instead. */
const NARROWEST_TEXT = 24;

const isNothing = (cell: string, isFigure: boolean): boolean =>
  cell === '' || (isFigure && ['-', '0', '0.00'].includes(cell));

/**
 * A table with at most `width` characters a line. Where it has more, figures that are all nothing are left out, names of columns
 * have a line for each word, and the text of the last column continues below itself or below its row. What is too wide even so
 * becomes a paragraph for each row. Columns of figures are those named in `right`.
 */
export function fitTable(
  head: Row,
  rows: readonly Row[],
  right: readonly number[],
  width: number,
): FittedTable {
  const [first = '', ...whole] = alignRows([head, ...rows], { right });
  if ([first, ...whole].every((line) => line.length <= width))
    return { heading: [first], lines: whole, leftOut: [] };
  const isSaid = (column: number): boolean =>
    rows.some((row) => !isNothing(row[column] ?? '', right.includes(column)));
  const kept = [...head.keys()].filter(isSaid);
  const pick = (row: Row): Row => kept.map((column) => row[column] ?? '');
  const figures = [...kept.keys()].filter((place) => right.includes(kept[place] ?? -1));
  const leftOut = head.filter((_name, column) => !isSaid(column));
  return { ...narrowTable(pick(head), rows.map(pick), figures, width), leftOut };
}

function narrowTable(
  names: Row,
  rows: readonly Row[],
  right: readonly number[],
  width: number,
): Omit<FittedTable, 'leftOut'> {
  const columns = right.includes(names.length - 1) ? names.length : names.length - 1;
  const fixed = rows.map((row) => row.slice(0, columns));
  const headings = headingRows(names.slice(0, columns));
  const aligned = alignRows([...headings, ...fixed], { right });
  const used = Math.max(...aligned.map((line) => line.length));
  const heading = aligned.slice(0, headings.length);
  if (used > width) return { heading: [], lines: rows.flatMap((row) => paragraph(names, row, right)) };
  const room = width - used - 2;
  const lines = aligned.slice(headings.length).flatMap((line, place) => {
    const text = rows[place]?.[columns] ?? '';
    if (text === '') return [line];
    if (room < NARROWEST_TEXT) return [line, `  ${text}`];
    return foldLine(text, room).map((part, index) => `${(index === 0 ? line : '').padEnd(used)}  ${part}`);
  });
  const last = names[columns];
  if (last === undefined || room < NARROWEST_TEXT) return { heading, lines };
  return { heading: [...heading.slice(0, -1), `${(heading.at(-1) ?? '').padEnd(used)}  ${last}`], lines };
}

/** A row for each word of the longest name; the others stand at the bottom. */
function headingRows(names: Row): Row[] {
  const words = names.map((name) => name.split(' '));
  const most = Math.max(...words.map(({ length }) => length));
  return Array.from({ length: most }, (_row, index) =>
    words.map((name) => name[index - most + name.length] ?? ''),
  );
}

/** What a row is about, below that its figures by their names, and its text. */
function paragraph(names: Row, row: Row, right: readonly number[]): string[] {
  const said = [...row.entries()].filter(([place, cell]) => !isNothing(cell, right.includes(place)));
  const words = said.filter(([place]) => !right.includes(place) && place < names.length - 1);
  const figures = said.filter(([place]) => right.includes(place));
  const text = right.includes(names.length - 1) ? '' : (row.at(-1) ?? '');
  return [
    words.map(([, cell]) => cell).join('  '),
    `  ${figures.map(([place, cell]) => `${names[place] ?? ''} ${cell}`).join(', ')}`,
    `  ${text}`,
  ].filter((line) => line.trim() !== '');
}

const WORD = /\s*\S+/g;

/** A line continued at words, each line of at most `width` characters; a word that is longer stays whole. */
export function foldLine(
  line: string,
  width: number,
  { indent = '', words = WORD, widthOf = (text: string): number => text.length } = {},
): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.match(words) ?? []) {
    if (current !== '' && widthOf(current + word) > width) {
      lines.push(current);
      current = `${indent}${word.trimStart()}`;
    } else current += word;
  }
  return [...lines, current];
}
