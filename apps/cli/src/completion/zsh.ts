import type { CommandShape, OptionShape } from './command-shape.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const pathOf = ({ path }: CommandShape): string => path.join(' ');
/** A candidate of `_describe`: a colon ends the word. */
const described = (word: string, summary: string): string =>
  quoted(`${word.replaceAll(':', String.raw`\:`)}:${summary}`);
const flagsOf = ({ options }: CommandShape): string[] =>
  options.map(({ flag, summary }) => described(flag, summary));

function valueCases(shape: CommandShape, { flag, value, choices, summary }: OptionShape): string[] {
  const at = `${pathOf(shape)}|${flag}`;
  const words = choices.map((choice) => described(choice, summary));
  const line = (pattern: string, candidates: readonly string[]): string =>
    `    ${pattern}) found=(${candidates.join(' ')}) ;;`;
  const first = line(quoted(`${at}|1`), words);
  return value === 'many' ? [first, line(`${quoted(`${at}|`)}*`, [...words, ...flagsOf(shape)])] : [first];
}

/** Completion for zsh: a file `_passport` in `$fpath`, or sourced after `compinit`. */
export function zshCompletion(shapes: readonly CommandShape[]): string {
  const paths = shapes.filter(({ path }) => path.length > 0).map((shape) => quoted(pathOf(shape)));
  const values = shapes.flatMap((shape) =>
    shape.options.filter(({ value }) => value !== 'none').flatMap((option) => valueCases(shape, option)),
  );
  const words = shapes.map((shape) => {
    const all = [
      ...shape.commands.map(({ word, summary }) => described(word, summary)),
      ...shape.argument.map((word) => described(word, shape.summary)),
      ...flagsOf(shape),
    ];
    return `      ${quoted(pathOf(shape))}) found=(${all.join(' ')}) ;;`;
  });
  return `#compdef passport
# zsh completion for passport: source <(passport completion zsh)
_passport() {
  local at='' option='' word index
  local -i distance=0
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    distance+=1
    if [[ $word == -* ]]; then option=$word distance=0; fi
    case "\${at:+$at }$word" in
      ${paths.map((path) => `(${path})`).join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at|$option|$((distance + 1))" in
${values.join('\n')}
    *)
      case "$at" in
${words.join('\n')}
      esac
      ;;
  esac
  if (( $#found )); then _describe 'passport' found; else _files; fi
}
if [[ \${funcstack[1]-} == _passport ]]; then _passport "$@"; else compdef _passport passport; fi
`;
}
