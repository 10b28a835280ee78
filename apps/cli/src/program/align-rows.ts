/** Rows as lines of text with their columns below each other; those named in `right`, which hold numbers, to the right. */
export function alignRows(
  rows: readonly (readonly string[])[],
  { right = [], widest = Infinity }: { readonly right?: readonly number[]; readonly widest?: number } = {},
): string[] {
  const columns = rows[0]?.map((_cell, column) => column) ?? [];
  const widths = columns.map((column) =>
    Math.min(widest, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
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
