/** A row of RFC 4180. Some cells were typed by people, and a spreadsheet takes what begins with one of these for a formula. */
export const csvRow = (cells: readonly string[]): string => cells.map(cellOf).join(',');

function cellOf(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
