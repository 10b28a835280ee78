import type { Command } from 'commander';
import { defineCommand } from '../program/index.ts';

/** A word that can be typed, and what it is. */
interface Candidate {
  readonly word: string;
  readonly summary: string;
}

/** What can be typed in place of the last of these words, by the very commands that the program is made of. */
export function candidatesFor(program: Command, words: readonly string[]): readonly Candidate[] {
  let command = program;
  let flag: string | null = null;
  let valuesGiven = 0;
  for (const word of words.slice(0, -1)) {
    valuesGiven += 1;
    command = command.commands.find((inner) => inner.name() === word) ?? command;
    if (word.startsWith('-')) [flag, valuesGiven] = [word, 0];
  }
  const options = command.createHelp().visibleOptions(command);
  const option = options.find(({ long, short }) => flag !== null && (long === flag || short === flag));
  const takesValue = option !== undefined && (option.required || option.optional);
  const values = (option?.argChoices ?? []).map((word) => ({ word, summary: option?.description ?? '' }));
  const flags = options.map(({ long, short, description }) => ({
    word: long ?? short ?? '',
    summary: description,
  }));
  const following = [
    ...command.commands.map((inner) => ({ word: inner.name(), summary: inner.summary() })),
    ...(command.registeredArguments[0]?.argChoices ?? []).map((word) => ({
      word,
      summary: command.summary(),
    })),
  ];
  // One of many values may be followed by another one, or by an option.
  const isLast = takesValue && valuesGiven === 0;
  const isOneOfMany = takesValue && option.variadic && valuesGiven > 0;
  const all = isLast ? values : [...(isOneOfMany ? values : following), ...flags];
  return all.filter(({ word }) => word.startsWith(words.at(-1) ?? ''));
}

// Each has `passport __complete WORDS` say what can be typed, and completes names of files where it has nothing to say.
const SCRIPTS = {
  bash: String.raw`# bash completion for passport: source <(passport completion bash)
_passport() {
  local IFS=$'\n'
  COMPREPLY=($(passport __complete "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _passport passport`,
  zsh: String.raw`#compdef passport
# zsh completion for passport: source <(passport completion zsh)
_passport() {
  local -a found
  found=("${'$'}{(@f)$(passport __complete "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("${'$'}{(@)found/$'\t'/:}")
  if [[ -n "$found" ]]; then _describe passport found; else _files; fi
}
if [[ ${'$'}{funcstack[1]-} == _passport ]]; then _passport "$@"; else compdef _passport passport; fi`,
  fish: `# fish completion for passport: passport completion fish | source
complete -c passport -e
function __passport_complete
  passport __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null
  or __fish_complete_path (commandline -ct)
end
complete -c passport -f -a '(__passport_complete)'`,
} as const;

export const completion = defineCommand({
  summary: 'print a completion script for bash, zsh or fish',
  description:
    'Prints a script with which the shell completes commands, options and their values. The script calls passport each time, and so ' +
    'knows the commands of the version that is installed.',
  examples: [
    'source <(passport completion bash)                          # in ~/.bashrc',
    'source <(passport completion zsh)                           # in ~/.zshrc, after compinit',
    'passport completion fish | source                           # in ~/.config/fish/config.fish',
  ],
  argument: ['<shell>', 'the shell', Object.keys(SCRIPTS)],
  run: (_options, [shell = ''], report) => {
    const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1] ?? '';
    report.json({ shell, script: script.split('\n') });
    report.line(script);
    return 0;
  },
});
