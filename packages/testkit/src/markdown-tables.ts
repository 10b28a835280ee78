/** The tables of a Markdown page whose first column has that head: the rows of each without its head, names without backticks. */
export function markdownTables(page: string, head: string): readonly (readonly (readonly string[])[])[] {
  const tables = page.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return tables
    .map((table) => table.trimEnd().split('\n').map(cellsOf))
    .filter((rows) => rows[0]?.[0] === head)
    .map(([, , ...rows]) => rows);
}

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(' | ')
    .map((cell) => cell.trim().replace(/^`([^`]+)`$/, '$1'));
