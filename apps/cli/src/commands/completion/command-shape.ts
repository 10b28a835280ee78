import type { Command, Option } from 'commander';

/** What can be typed after a command. */
export interface CommandShape {
  /** `['events', 'list']`; a group has only its own word, and the program none. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly OptionShape[];
  /** Words that the argument can be; empty when it is free. */
  readonly argument: readonly string[];
  /** Of a group and of the program: the words that follow. */
  readonly commands: readonly { readonly word: string; readonly summary: string }[];
}

export interface OptionShape {
  readonly flag: string;
  readonly summary: string;
  readonly value: 'none' | 'one' | 'many';
  /** Empty when the value is free, or there is none. */
  readonly choices: readonly string[];
}

function shapeOfOption(option: Option): OptionShape {
  const takes = option.required || option.optional;
  return {
    flag: option.long ?? option.short ?? '',
    summary: option.description,
    value: takes ? (option.variadic ? 'many' : 'one') : 'none',
    choices: option.argChoices ?? [],
  };
}

/** All that a program takes, read from the very commands that it is made of. */
export function shapesOf(command: Command, path: readonly string[] = []): CommandShape[] {
  const help: OptionShape = { flag: '--help', summary: 'display help', value: 'none', choices: [] };
  const shape: CommandShape = {
    path,
    summary: command.summary(),
    options: [...command.options.map(shapeOfOption), help],
    argument: command.registeredArguments[0]?.argChoices ?? [],
    commands: command.commands.map((inner) => ({ word: inner.name(), summary: inner.summary() })),
  };
  return [shape, ...command.commands.flatMap((inner) => shapesOf(inner, [...path, inner.name()]))];
}
