import type { CommandShape, OptionShape } from './command-shape.ts';

/** For `case`: a pattern of exactly this text. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const pathOf = ({ path }: CommandShape): string => path.join(' ');

const flagsOf = ({ options }: CommandShape): string[] => options.map(({ flag }) => flag);

function valueCases(shape: CommandShape, { flag, value, choices }: OptionShape): string[] {
  const at = `${pathOf(shape)}|${flag}`;
  const line = (pattern: string, words: readonly string[]): string =>
    `    ${pattern}) words=${quoted(words.join(' '))} ;;`;
  const first = line(quoted(`${at}|1`), choices);
  // One of many values may be followed by another one, or by an option.
  return value === 'many' ? [first, line(`${quoted(`${at}|`)}*`, [...choices, ...flagsOf(shape)])] : [first];
}

/** Completion for bash, without the package bash-completion. */
export function bashCompletion(shapes: readonly CommandShape[]): string {
  const paths = shapes.filter(({ path }) => path.length > 0).map((shape) => quoted(pathOf(shape)));
  const values = shapes.flatMap((shape) =>
    shape.options.filter(({ value }) => value !== 'none').flatMap((option) => valueCases(shape, option)),
  );
  const words = shapes.map((shape) => {
    const all = [...shape.commands.map(({ word }) => word), ...shape.argument, ...flagsOf(shape)];
    return `      ${quoted(pathOf(shape))}) words=${quoted(all.join(' '))} ;;`;
  });
  return `# bash completion for passport: source <(passport completion bash)
_passport() {
  local current=\${COMP_WORDS[COMP_CWORD]} at='' option='' distance=0 word index words=''
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    distance=$((distance + 1))
    case $word in -*) option=$word distance=0 ;; esac
    case "\${at:+$at }$word" in
      ${paths.join(' | ')}) at="\${at:+$at }$word" ;;
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
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _passport passport
`;
}
