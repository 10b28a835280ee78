import type { Command } from 'commander';
import { bashCompletion } from './bash.ts';
import { type CommandShape, shapesOf } from './command-shape.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';
import type { CommandDraft } from '../../program/index.ts';

const SHELLS: Readonly<Record<string, (shapes: readonly CommandShape[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** The command that prints the completion of all others; `readAll` builds the whole program. */
export const completionOf = (readAll: () => Promise<Command>): CommandDraft<object> => ({
  name: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  description:
    'Prints a script with which the shell completes commands, options and their values. It is made of the commands of this version: ' +
    'print it again after an upgrade, or have the shell do that each time it starts, as in the examples.',
  examples: [
    'source <(passport completion bash)                          # in ~/.bashrc',
    'source <(passport completion zsh)                           # in ~/.zshrc, after compinit',
    'passport completion fish | source                           # in ~/.config/fish/config.fish',
  ],
  argument: ['<shell>', 'the shell', Object.keys(SHELLS)],
  run: async (_options, [shell = ''], report): Promise<0> => {
    const shapes = shapesOf(await readAll());
    const script = SHELLS[shell]?.(shapes) ?? '';
    report.json({ shell, script: script.split('\n') });
    report.line(script.trimEnd());
    return 0;
  },
});
