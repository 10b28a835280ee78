import { Command, CommanderError } from 'commander';
import { ConfigError } from '@passport/config';
import type { CliDeps } from './cli-deps.ts';
import type { CommandContext } from './command.ts';
import { buildCommand } from './command.ts';
import { configCheck } from './config-check.ts';
import { copiesExport } from './copies-export.ts';
import { doctor } from './doctor.ts';
import { eventsList } from './events-list.ts';
import { eventsRetry } from './events-retry.ts';
import { eventsShow } from './events-show.ts';
import { explainCard } from './explain-card.ts';
import { Failure, WrongUse } from './failure.ts';
import type { Printer } from './printed-text.ts';
import { createPrinter } from './printed-text.ts';
import { secretNew } from './secret-new.ts';
import { sendEvent } from './send-event.ts';

const EXIT_CODES = '\nExit codes: 0 success, 1 a finding or a failure, 2 wrong usage.';

function group(name: string, summary: string, commands: readonly Command[]): Command {
  const parent = new Command(name).summary(summary).description(summary);
  for (const command of commands) parent.addCommand(command);
  return parent;
}

/** The whole `passport` command. */
export function buildCli(context: CommandContext): Command {
  const { out, err } = context.deps;
  const program = new Command('passport')
    .description('Patron Passport: check the configuration, diagnose Kohas, and manage events')
    .version(`Patron Passport ${context.deps.version}`)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(use --help for usage)')
    .addCommand(group('config', 'check the configuration file', [buildCommand(configCheck, context)]))
    .addCommand(group('secret', 'generate secrets', [buildCommand(secretNew, context)]))
    .addCommand(buildCommand(doctor, context))
    .addCommand(buildCommand(explainCard, context))
    .addCommand(buildCommand(sendEvent, context))
    .addCommand(
      group('events', 'list, show and retry events', [
        buildCommand(eventsList, context),
        buildCommand(eventsShow, context),
        buildCommand(eventsRetry, context),
      ]),
    )
    .addCommand(group('copies', 'export the receipts of copies', [buildCommand(copiesExport, context)]));
  const settle = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: out, writeErr: err });
    for (const inner of command.commands) settle(inner);
  };
  settle(program);
  return program;
}

/** Reports an error: as text on standard error, or with `--json` as JSON on standard output. */
function reportError(error: Error, { err, json }: Printer, isJson: boolean): 1 | 2 {
  if (error instanceof CommanderError) return 2;
  const code = error instanceof WrongUse ? 2 : 1;
  if (!isJson) err(`${error instanceof ConfigError ? '' : 'passport: '}${error.message}\n`);
  else if (error instanceof ConfigError) json({ ok: false, problems: error.problems });
  else json({ error: { message: error.message, ...(error instanceof Failure ? error.details : {}) } });
  return code;
}

/** Runs the command with these arguments and returns its exit code. Throws for bugs only. */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  let exitCode = 0;
  const printer = createPrinter(deps);
  const program = buildCli({
    deps: { ...deps, out: printer.out, err: printer.err },
    printer,
    end: (code) => {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const isExpected = [CommanderError, ConfigError, Failure, WrongUse].some((type) => error instanceof type);
    if (!isExpected || !(error instanceof Error)) throw error;
    return reportError(error, printer, args.includes('--json'));
  }
}
