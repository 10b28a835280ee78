import type { CommandShape } from './command-shape.ts';

/** A word that can be typed next, and what it is. */
export interface Candidate {
  readonly word: string;
  readonly summary: string;
}

/** For `case` in bash and zsh: a pattern of exactly this text. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * What both shells match against: the paths of the commands; `path|option|distance`, for the value of an option; a path, for what
 * follows a command. `offer` writes the statement that offers the candidates.
 */
export function shellCases(
  shapes: readonly CommandShape[],
  offer: (candidates: readonly Candidate[]) => string,
): { readonly paths: readonly string[]; readonly values: string; readonly words: string } {
  const line = (pattern: string, candidates: readonly Candidate[]): string =>
    `    ${pattern}) ${offer(candidates)} ;;`;
  const values: string[] = [];
  const words: string[] = [];
  for (const { path, summary, options, argument, commands } of shapes) {
    const at = path.join(' ');
    const flags = options.map((option) => ({ word: option.flag, summary: option.summary }));
    for (const option of options) {
      const key = `${at}|${option.flag}|`;
      const choices = option.choices.map((word) => ({ word, summary: option.summary }));
      if (option.value !== 'none') values.push(line(quoted(`${key}1`), choices));
      // One of many values may be followed by another one, or by an option.
      if (option.value === 'many') values.push(line(`${quoted(key)}*`, [...choices, ...flags]));
    }
    const typed = argument.map((word) => ({ word, summary }));
    words.push(`  ${line(quoted(at), [...commands, ...typed, ...flags])}`);
  }
  const paths = shapes.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  return { paths, values: values.join('\n'), words: words.join('\n') };
}
