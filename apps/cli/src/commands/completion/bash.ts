import type { CommandShape } from './command-shape.ts';
import { quoted, shellCases } from './shell-cases.ts';

/** Completion for bash, without the package bash-completion. */
export function bashCompletion(shapes: readonly CommandShape[]): string {
  const { paths, values, words } = shellCases(
    shapes,
    (candidates) => `words=${quoted(candidates.map(({ word }) => word).join(' '))}`,
  );
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
${values}
    *)
      case "$at" in
${words}
      esac
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _passport passport
`;
}
