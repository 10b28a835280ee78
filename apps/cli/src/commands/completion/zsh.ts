import type { CommandShape } from './command-shape.ts';
import { type Candidate, quoted, shellCases } from './shell-cases.ts';

/** A candidate of `_describe`: a colon ends the word. */
const described = ({ word, summary }: Candidate): string =>
  quoted(`${word.replaceAll(':', String.raw`\:`)}:${summary}`);

/** Completion for zsh: a file `_passport` in `$fpath`, or sourced after `compinit`. */
export function zshCompletion(shapes: readonly CommandShape[]): string {
  const { paths, values, words } = shellCases(
    shapes,
    (candidates) => `found=(${candidates.map(described).join(' ')})`,
  );
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
${values}
    *)
      case "$at" in
${words}
      esac
      ;;
  esac
  if (( $#found )); then _describe 'passport' found; else _files; fi
}
if [[ \${funcstack[1]-} == _passport ]]; then _passport "$@"; else compdef _passport passport; fi
`;
}
