import { parseArgs } from 'node:util';

export interface Wanted {
  /** Upper-case names; none: all. */
  readonly names: readonly string[];
  readonly isQuick: boolean;
  readonly isJson: boolean;
}

/** Reads `[--quick] [--json | --table] [S1 S4 ...]`; text says what was not understood. */
export function readArguments(
  args: readonly string[],
  known: readonly string[],
  isTerminal: boolean,
): Wanted | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, table: { type: 'boolean' } },
    });
    const names = positionals.map((name) => name.toUpperCase());
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) return `There is no ${unknown.join(', ')}; there are ${known.join(' ')}.`;
    return {
      names,
      isQuick: values.quick ?? false,
      isJson: values.table !== true && (values.json ?? !isTerminal),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
