import { parseArgs } from 'node:util';

export interface Wanted {
  /** Upper-case names; none: all. */
  readonly names: readonly string[];
  readonly isQuick: boolean;
  /** Whether the report goes to docs/performance.md, too. */
  readonly isWritten: boolean;
  /** The file of an earlier report that this one is compared with. */
  readonly against: string | undefined;
}

/** Reads `[--quick] [--write-report] [--against REPORT] [S1 S4 ...]`; text says what was not understood. */
export function readArguments(args: readonly string[], known: readonly string[]): Wanted | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        'write-report': { type: 'boolean', default: false },
        against: { type: 'string' },
      },
    });
    const { quick: isQuick, 'write-report': isWritten, against } = values;
    const names = positionals.map((name) => name.toUpperCase());
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `There is no ${unknown.join(', ')}; there are ${known.join(' ')}.`;
    if (isWritten && (isQuick || names.length > 0)) return 'Only a full run writes the report.';
    if (isQuick && against !== undefined)
      return 'The figures of a smoke run mean nothing: nothing to compare.';
    return { names, isQuick, isWritten, against };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
