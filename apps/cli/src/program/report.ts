import type { Printer, Style } from './printed-text.ts';

/** Where a command writes: its result to standard output, as text or as one JSON value; everything else to standard error. */
export interface Report {
  readonly isJson: boolean;
  readonly colors: Style;
  /** A line of text; nothing with `--json`. */
  readonly line: (text?: string) => void;
  /** The one JSON value; nothing without `--json`. */
  readonly json: (value: unknown) => void;
  /** One of many JSON values, on a line of its own; nothing without `--json`. */
  readonly jsonLine: (value: unknown) => void;
  /** A line about how it goes, for the person who waits. */
  readonly progress: (text: string) => void;
}

export function buildReport({ out, err, json, jsonLine, style }: Printer, isJson: boolean): Report {
  return {
    isJson,
    colors: style,
    line: (text = '') => {
      if (!isJson) out(`${text}\n`);
    },
    json: (value) => {
      if (isJson) json(value);
    },
    jsonLine: (value) => {
      if (isJson) jsonLine(value);
    },
    progress: (text) => err(`${text}\n`),
  };
}
