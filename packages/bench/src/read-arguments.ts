import { parseArgs } from 'node:util';

export interface Wanted {
  /** Upper-case names; none: all. */
  readonly names: readonly string[];
  readonly isQuick: boolean;
  readonly isJson: boolean;
  /** Whether the report goes to docs/performance.md, too. */
  readonly isWritten: boolean;
}

/** Reads `[--quick] [--json | --table] [--write-report] [S1 S4 ...]`; text says what was not understood. */
export function readArguments(
  args: readonly string[],
  known: readonly string[],
  isTerminal: boolean,
): Wanted | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        table: { type: 'boolean' },
        'write-report': { type: 'boolean' },
      },
    });
    const names = positionals.map((name) => name.toUpperCase());
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `There is no ${unknown.join(', ')}; there are ${known.join(' ')}.`;
    const isQuick = values.quick ?? false;
    const isWritten = values['write-report'] ?? false;
    if (isWritten && (isQuick || names.length > 0)) return 'Only a full run writes the report.';
    return {
      names,
      isQuick,
      isWritten,
      isJson: values.table !== true && (values.json ?? !isTerminal),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
