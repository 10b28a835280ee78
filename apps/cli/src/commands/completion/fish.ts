import type { CommandShape, OptionShape } from './command-shape.ts';

const quoted = (text: string): string =>
  `'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;

function optionLine(shape: CommandShape, { flag, value, choices, summary }: OptionShape): string {
  const when = quoted(`__passport_in ${shape.path.join(' ')}`.trimEnd());
  const takes = value === 'none' ? '' : choices.length > 0 ? ` -xa ${quoted(choices.join(' '))}` : ' -r';
  return `complete -c passport -n ${when} -l ${flag.replace(/^--/, '')}${takes} -d ${quoted(summary)}`;
}

/** Completion for fish: `~/.config/fish/completions/passport.fish`, or sourced. */
export function fishCompletion(shapes: readonly CommandShape[]): string {
  const lines = shapes.flatMap((shape) => {
    const here = quoted(`__passport_at ${shape.path.join(' ')}`.trimEnd());
    const word = (text: string, summary: string): string =>
      `complete -c passport -f -n ${here} -a ${quoted(text)} -d ${quoted(summary)}`;
    return [
      ...shape.commands.map(({ word: text, summary }) => word(text, summary)),
      ...shape.argument.map((text) => word(text, shape.summary)),
      ...shape.options.map((option) => optionLine(shape, option)),
    ];
  });
  return `# fish completion for passport: passport completion fish | source
function __passport_words
  set -l all (commandline -opc)
  set -e all[1]
  for word in $all
    string match -q -- '-*' $word; and break
    echo $word
  end
end
function __passport_at
  set -l words (__passport_words)
  test "$words" = "$argv"
end
function __passport_in
  set -l words (__passport_words)
  set -l count (count $argv)
  if test $count -eq 0
    test (count $words) -eq 0
    return
  end
  test (count $words) -ge $count; and test "$words[1..$count]" = "$argv"
end
complete -c passport -e
${lines.join('\n')}
`;
}
