import { createColors } from 'picocolors';
import type { CliDeps } from './cli-deps.ts';

type Colors = ReturnType<typeof createColors>;

/** Where a command writes: what was asked for to standard output, either as text or as one JSON value; the rest beside it. */
export interface Report {
  readonly isJson: boolean;
  readonly colors: Colors;
  /** A line of text; nothing with `--json`. */
  readonly line: (text?: string) => void;
  /** The one JSON value; nothing without `--json`. */
  readonly json: (value: unknown) => void;
  /** A line about how it goes, for the person who waits. */
  readonly progress: (text: string) => void;
}

export function buildReport({ out, err, isTerminal }: CliDeps, isJson: boolean): Report {
  return {
    isJson,
    colors: createColors(isTerminal && !isJson),
    line: (text = '') => {
      if (!isJson) out(`${text}\n`);
    },
    json: (value) => {
      if (isJson) out(`${JSON.stringify(value, null, 2)}\n`);
    },
    progress: (text) => err(`${text}\n`),
  };
}
