import { installedText } from '@passport/contract';
import { withLocalTime } from '@passport/runtime/shown-time';
import { createColors } from 'picocolors';
import { fitTable, foldLine } from './align-rows.ts';
import type { CliDeps } from './cli-deps.ts';

/**
 * What a terminal obeys instead of showing, or shows as something else: control characters (C0, DEL, C1), format characters (marks
 * and overrides of direction, zero-width characters, tags), line and paragraph separators, halves of surrogate pairs,
 * noncharacters. Tab and line feed are the two that text needs.
 */
const UNPRINTABLE = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
/** What shows nothing by definition (variation selectors and fillers beside the above), and can hide text of any length. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** The longest line and the longest JSON string that are printed; Koha's texts are cut shorter where they are taken over. */
const LONGEST = 8_000;

const STYLES = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;
type StyleName = (typeof STYLES)[number];
/** Each marks a text for one style. Where there are no colours it returns the text as it is. */
export type Style = Readonly<Record<StyleName, (text: string) => string>>;

const cut = (text: string): string =>
  text.length <= LONGEST ? text : `${text.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, '')}…`;

const styleOf = (make: (name: StyleName) => (text: string) => string): Style =>
  Object.fromEntries(STYLES.map((name) => [name, make(name)])) as Style;
const PLAIN = styleOf(() => (text) => text);
const COLORS = createColors(true);

/** Text as it may go to a terminal: without anything that is not shown, and each line of a bounded length. */
export function printableText(text: string): string {
  const clean = text.replace(UNPRINTABLE, '').replace(INVISIBLE, '');
  return clean.length <= LONGEST ? clean : clean.split('\n').map(cut).join('\n');
}

/** What of JSON people read: the rest is data. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['message', 'problem', 'remedy', 'expected']);

/** JSON of the same value, each string of a bounded length, with nothing in it that a terminal could obey. */
export function printableJson(value: unknown, indent = 2, install?: string): string {
  const escape = (found: string): string =>
    Array.from({ length: found.length }, (_, at) => {
      const unit = found.charCodeAt(at).toString(16).padStart(4, '0');
      return `\\u${unit}`;
    }).join('');
  const bounded = (key: string, part: unknown): unknown => {
    if (typeof part !== 'string') return part;
    return cut(FOR_PEOPLE.has(key) ? installedText(part, install) : part);
  };
  return JSON.stringify(value, bounded, indent).replace(UNPRINTABLE, escape).replace(INVISIBLE, escape);
}

/** Where all that `passport` prints goes through. */
export interface Printer {
  readonly out: (text: string) => void;
  /** The same for what another program reads, such as CSV: no command in it is one to type. */
  readonly data: (text: string) => void;
  readonly err: (text: string) => void;
  /** One JSON value, to standard output. */
  readonly json: (value: unknown) => void;
  /** The same on one line: one value of many. */
  readonly jsonLine: (value: unknown) => void;
  readonly style: Style;
  /** Characters that a line has room for; infinite where no person reads along. */
  readonly width: number;
}

/**
 * The one way to the terminal: commands in what is said are as they are typed in this installation. Styles are marked with a secret of this run and become escape sequences only here, after everything
 * else was made printable: a text from elsewhere cannot bring an escape sequence, nor forge a mark.
 */
export function createPrinter({
  out,
  err,
  isTerminal,
  isErrTerminal = isTerminal,
  hasColors = isTerminal,
  columns: reported = 0,
  randomBytes,
  env = {},
}: PrinterDeps): Printer {
  const install = env['PASSPORT_INSTALL'];
  const asTyped = (text: string): string => installedText(text, install);
  // A terminal that has no size yet, as in a container or on a serial line, reports 0.
  const columns = reported === 0 ? 80 : reported;
  const width = isTerminal ? columns : Infinity;
  const marks = isTerminal || isErrTerminal ? markedBy(randomBytes(16).toString('hex'), columns) : UNMARKED;
  const style = hasColors ? marks.style : PLAIN;
  const show = isTerminal ? marks.show : marks.plain;
  // Where standard error goes to a file, it is a log.
  const error = isErrTerminal ? (text: string) => marks.show(spelledOut(text, columns, style)) : marks.plain;
  return {
    out: (text) => out(show(asTyped(text))),
    data: (text) => out(show(text)),
    // A line of the log is data as well.
    err: (text) => err(error(text.startsWith('{') ? text : asTyped(text))),
    json: (value) => out(`${printableJson(value, 2, install)}\n`),
    jsonLine: (value) => out(`${printableJson(value, 0, install)}\n`),
    style,
    width,
  };
}

type PrinterDeps = Pick<
  CliDeps,
  'out' | 'err' | 'isTerminal' | 'isErrTerminal' | 'hasColors' | 'columns' | 'randomBytes'
> &
  Partial<Pick<CliDeps, 'env'>>;

/** Where no terminal is. */
const UNMARKED = { show: printableText, plain: printableText, style: PLAIN };

/** Styles that mark a text with a secret, and what makes escape sequences of the marks. */
function markedBy(secret: string, columns: number) {
  const marked = new RegExp(`<${secret} (${STYLES.join('|')})>(.*?)</${secret}>`, 'gs');
  // A line that was cut may have lost the end of a mark.
  const left = new RegExp(`</?${secret}[^>]*>?`, 'g');
  const plain = (text: string): string => printableText(text).replace(left, '');
  const show = (text: string): string =>
    printableText(text)
      .replace(marked, (_whole, name: StyleName, inner: string) => COLORS[name](inner))
      .replace(left, '')
      .split('\n')
      .map((line) => wrapped(line, columns))
      .join('\n');
  return { show, plain, style: styleOf((name) => (text) => `<${secret} ${name}>${text}</${secret}>`) };
}

const STYLED = new RegExp(`${String.fromCodePoint(27)}\\[\\d+m`, 'g');
const widthOf = (text: string): number => text.replaceAll(STYLED, '').length;

/** A word of a command: what stands in quotes is one, and an option with its value. */
const COMMAND_WORD = /\s*(?:--[\w-]+\s+(?!-))?(?:"[^"]*"|'[^']*'|\S)+/g;

/**
 * A line for a person: continued at a word, below where it began. A command is continued as a shell reads it, so that it can be copied.
 */
function wrapped(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  const isCommand = /^\s*\$ /.test(line);
  const indent = ' '.repeat(widthOf(line) - widthOf(line.trimStart()) + (isCommand ? 4 : 2));
  if (!isCommand) return foldLine(line, columns, { indent, widthOf }).join('\n');
  return foldLine(line, columns - 2, { indent, widthOf, words: COMMAND_WORD }).join(' \\\n');
}

/** What every log line has and whoever has just given the command knows, and a hash that tells nobody anything. */
const NOT_SAID = [
  'level',
  'time',
  'name',
  'pid',
  'hostname',
  'msg',
  'v',
  'audit',
  'action',
  'by',
  'card_hash',
];

/** An audit line in words, dim and on one line; any other text as it is. Pipes and logs get the JSON. */
function spelledOut(text: string, columns: number, { dim }: Style): string {
  if (!text.startsWith('{')) return text;
  try {
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (line['audit'] !== true) return text;
    const facts = Object.entries(line)
      .filter(([name, value]) => !NOT_SAID.includes(name) && value !== null)
      .map(([name, value]) => `, ${name} ${[value].flat().map(textOf).join(' ')}`);
    const said = `audit: ${textOf(line['action'])} by ${textOf(line['by'])}${facts.join('')}`;
    const words = printableText(said.replaceAll(/\s+/g, ' '));
    return `${dim(words.length <= columns ? words : `${words.slice(0, columns - 1)}…`)}\n`;
  } catch {
    return text;
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? withLocalTime(value) : JSON.stringify(value);

/** Where a command writes: its result to standard output, as text or as one JSON value; everything else to standard error. */
export interface Report {
  readonly isJson: boolean;
  readonly colors: Style;
  /** Characters that a line has room for; infinite where no person reads along. */
  readonly width: number;
  /** A line of text; nothing with `--json`. */
  readonly line: (text?: string) => void;
  /** A line that another program reads, such as CSV; nothing with `--json`. */
  readonly data: (line: string) => void;
  /** The one JSON value; nothing without `--json`. */
  readonly json: (value: unknown) => void;
  /** One of many JSON values, on a line of its own; nothing without `--json`. */
  readonly jsonLine: (value: unknown) => void;
  /** A table under a dim heading, as wide as the terminal at most; columns of figures are those named in `right`. */
  readonly table: (
    head: readonly string[],
    rows: readonly (readonly string[])[],
    right?: readonly number[],
  ) => void;
  /** A line about how it goes, for the person who waits. */
  readonly progress: (text: string) => void;
}

export function buildReport(
  { out, data, err, json, jsonLine, style, width }: Printer,
  isJson: boolean,
): Report {
  const line = (text = ''): void => {
    if (!isJson) out(`${text}\n`);
  };
  return {
    isJson,
    colors: style,
    width,
    line,
    data: (text) => {
      if (!isJson) data(`${text}\n`);
    },
    table: (head, rows, right = []) => {
      const { heading, lines, leftOut } = fitTable(head, rows, right, width);
      for (const text of heading) line(style.dim(text));
      for (const text of lines) line(text);
      if (leftOut.length > 0) line(style.dim(`left out, with nothing in it: ${leftOut.join(', ')}`));
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
