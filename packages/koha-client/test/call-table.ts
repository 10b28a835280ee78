/** One row of `calls.md`: a request that the client may send. */
export interface CallRow {
  readonly call: string;
  /** Parts each such request has, and parts it may have. */
  readonly required: readonly string[];
  readonly optional: ReadonlySet<string>;
  readonly witness: string;
}

/** A request that was sent, as the double writes it down. */
export interface SentShape {
  readonly call: string;
  readonly parts: readonly string[];
}

const HEADINGS = ['call', 'parts', 'for', 'releases', 'permission', 'witness'];

/** Reads the table: the rows of the first table of the page, and the words that `fields` stands for. */
export function parseCallTable(markdown: string): CallRow[] {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  const [head = '', , ...rows] = lines.map(cellsOf).map((cells) => cells.join('|'));
  if (head !== HEADINGS.join('|')) throw new Error(`the table's columns are ${HEADINGS.join(', ')}`);
  const fields = /^fields: (.*)$/m.exec(markdown)?.[1]?.split(' ') ?? [];
  return rows.map((row) => {
    const [call = '', parts = '', , , , witness = ''] = row.split('|');
    const words = bare(parts)
      .split(' ')
      .filter((word) => word !== '')
      .flatMap((word) => (word === '[fields]' ? fields.map((field) => `[${field}]`) : [word]));
    const isOptional = (word: string): boolean => word.startsWith('[') && word.endsWith(']') && word !== '[]';
    return {
      call: bare(call),
      required: words.filter((word) => !isOptional(word)),
      optional: new Set(words.filter(isOptional).map((word) => word.slice(1, -1))),
      witness,
    };
  });
}

/** What of the sent requests is in no row and, when everything was run, which rows nothing sends; empty when the table is right. */
export function compareCalls(
  rows: readonly CallRow[],
  sent: readonly SentShape[],
  isWhole: boolean,
): string[] {
  const used = new Set<CallRow>();
  const unknown = new Set<string>();
  for (const shape of sent) {
    const row = rows.find((each) => fits(each, shape));
    if (row === undefined) unknown.add(`not in the table: ${shape.call} ${shape.parts.join(' ')}`);
    else used.add(row);
  }
  const unused = isWhole ? rows.filter((row) => !used.has(row)) : [];
  return [
    ...unknown,
    ...unused.map(({ call, required }) => `sent by nothing: ${call} ${required.join(' ')}`),
  ];
}

function fits({ call, required, optional }: CallRow, shape: SentShape): boolean {
  return (
    call === shape.call &&
    required.every((part) => shape.parts.includes(part)) &&
    shape.parts.every((part) => required.includes(part) || optional.has(part))
  );
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function bare(cell: string): string {
  return cell.replaceAll('`', '').trim();
}
