import { Argument, Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import type { OptionDrafts, OptionValues } from './options.ts';
import { buildReport, type Printer, type Report } from './printed-text.ts';

/** What a command works with, and where it leaves its exit code. */
export interface CommandContext {
  /** `out` and `err` are the printer's. */
  readonly deps: CliDeps;
  readonly printer: Printer;
  /** Called once, with 0 (done) or 1 (a finding). */
  readonly end: (code: 0 | 1) => void;
}

/** One command: how it is called, and what it does with what it was called with. */
export interface CommandDraft<O extends OptionDrafts> {
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly options?: O;
  /** Such as `[library...]`, with a description, and the words that it can be. */
  readonly argument?: readonly [syntax: string, description: string, choices?: readonly string[]];
  /** Returns the exit code. */
  readonly run: (
    options: OptionValues<O>,
    args: readonly string[],
    report: Report,
    deps: CliDeps,
  ) => Promise<0 | 1> | 0 | 1;
}

/** A command whatever its options are. */
export type AnyCommand = Omit<CommandDraft<OptionDrafts>, 'run'> & {
  readonly run: (options: never, ...more: [readonly string[], Report, CliDeps]) => Promise<0 | 1> | 0 | 1;
};

/** Defines a command: `run` gets what its options are declared to be. */
export const defineCommand = <O extends OptionDrafts>(draft: CommandDraft<O>): AnyCommand => draft;

/** Makes a commander command of a draft; every one takes `--json`. */
export function buildCommand(name: string, draft: AnyCommand, context: CommandContext): Command {
  const command = new Command(name)
    .summary(draft.summary)
    .description(draft.description)
    .option('--json', 'print JSON instead of text')
    .addHelpText('after', `\nExamples:\n${draft.examples.map((example) => `  $ ${example}`).join('\n')}`);
  for (const [option, make] of Object.entries(draft.options ?? {})) command.addOption(make(option));
  if (draft.argument !== undefined) {
    const [syntax, description, choices] = draft.argument;
    const argument = new Argument(syntax, description);
    command.addArgument(choices === undefined ? argument : argument.choices(choices));
  }
  command.action(async () => {
    const options = command.opts<{ json?: boolean }>();
    const args = command.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string');
    const report = buildReport(context.printer, options.json === true);
    context.end(await draft.run(options as never, args, report, context.deps));
  });
  return command;
}
