import { Command, CommanderError } from 'commander';
import { ConfigError } from '@passport/config';
import { openCliActs } from './program/cli-acts.ts';
import type { CliDeps } from './program/cli-deps.ts';
import { type CommandContext, type CommandDraft, buildCommand } from './program/command.ts';
import { Failure, WrongUse } from './program/failure.ts';
import { type Printer, createPrinter } from './program/printed-text.ts';

const EXIT_CODES = '\nExit codes: 0 success, 1 a finding or a failure, 2 wrong usage.';

interface Group {
  readonly name: string;
  readonly summary: string;
}

const CONFIG: Group = { name: 'config', summary: 'check the configuration, and have it taken over' };
const LIBRARY: Group = { name: 'library', summary: 'pause and resume libraries' };
const NOTIFY: Group = { name: 'notify', summary: 'test the endpoints that operators are notified at' };
const SECRET: Group = { name: 'secret', summary: 'generate secrets' };
const EVENTS: Group = { name: 'events', summary: 'list, show, watch and retry events' };
const COPIES: Group = { name: 'copies', summary: 'list and manage copies, and export their receipts' };

/** A command, and how it is loaded: BullMQ and the client of Kohas are most of what a command would wait for. */
interface Loadable {
  readonly group: Group | null;
  readonly name: string;
  load(context: CommandContext): Promise<Command>;
}

const COMMANDS: readonly Loadable[] = [
  loadable(CONFIG, 'check', async () => (await import('./commands/config/check.ts')).configCheck),
  loadable(CONFIG, 'reload', async () => (await import('./commands/config/reload.ts')).configReload),
  loadable(LIBRARY, 'pause', async () => (await import('./commands/library/pause.ts')).libraryPause),
  loadable(LIBRARY, 'resume', async () => (await import('./commands/library/resume.ts')).libraryResume),
  loadable(NOTIFY, 'test', async () => (await import('./commands/notify/test.ts')).notifyTest),
  loadable(SECRET, 'new', async () => (await import('./commands/secret/new.ts')).secretNew),
  loadable(null, 'status', async () => (await import('./commands/status.ts')).statusCommand),
  loadable(null, 'doctor', async () => (await import('./commands/doctor/doctor.ts')).doctor),
  loadable(null, 'explain', async () => (await import('./commands/explain/explain.ts')).explainCard),
  loadable(null, 'export', async () => (await import('./commands/export.ts')).exportData),
  loadable(null, 'erase', async () => (await import('./commands/erase.ts')).eraseData),
  loadable(null, 'audit', async () => (await import('./commands/audit.ts')).audit),
  loadable(null, 'stats', async () => (await import('./commands/stats.ts')).stats),
  loadable(null, 'owed', async () => (await import('./commands/owed.ts')).owed),
  loadable(null, 'send', async () => (await import('./commands/send.ts')).sendEvent),
  loadable(EVENTS, 'list', async () => (await import('./commands/events/list.ts')).eventsList),
  loadable(EVENTS, 'show', async () => (await import('./commands/events/show.ts')).eventsShow),
  loadable(EVENTS, 'watch', async () => (await import('./commands/events/watch.ts')).eventsWatch),
  loadable(EVENTS, 'retry', async () => (await import('./commands/events/retry.ts')).eventsRetry),
  loadable(COPIES, 'list', async () => (await import('./commands/copies/list.ts')).copiesList),
  loadable(COPIES, 'adopt', async () => (await import('./commands/copies/adopt.ts')).copiesAdopt),
  loadable(COPIES, 'release', async () => (await import('./commands/copies/release.ts')).copiesRelease),
  loadable(COPIES, 'rekey', async () => (await import('./commands/copies/rekey.ts')).copiesRekey),
  loadable(COPIES, 'leave', async () => (await import('./commands/copies/leave.ts')).copiesLeave),
  loadable(COPIES, 'refresh', async () => (await import('./commands/copies/refresh.ts')).copiesRefresh),
  loadable(COPIES, 'purge', async () => (await import('./commands/copies/purge.ts')).copiesPurge),
  loadable(COPIES, 'export', async () => (await import('./commands/copies/export.ts')).copiesExport),
  {
    group: null,
    name: 'completion',
    load: async (context) => {
      const { completionOf } = await import('./commands/completion/completion.ts');
      return buildCommand(
        completionOf(() => buildProgram(COMMANDS, context)),
        context,
      );
    },
  },
];

function loadable<O extends object>(
  group: Group | null,
  name: string,
  draft: () => Promise<CommandDraft<O>>,
): Loadable {
  return { group, name, load: async (context) => buildCommand(await draft(), context) };
}

/** The commands that these arguments need: the one they name, none for the version, all for help and for mistakes. */
function neededFor(args: readonly string[]): readonly Loadable[] {
  if (args[0] === '--version') return [];
  const named = COMMANDS.filter(({ group, name }) =>
    group === null ? args[0] === name : args[0] === group.name && args[1] === name,
  );
  return named.length > 0 ? named : COMMANDS;
}

/** The `passport` command, with these commands. */
async function buildProgram(commands: readonly Loadable[], context: CommandContext): Promise<Command> {
  const { out, err } = context.deps;
  const program = new Command('passport')
    .description('Patron Passport: check the configuration, diagnose Kohas, and manage events')
    .version(`Patron Passport ${context.deps.version}`)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(use --help for usage)');
  for (const { group, load } of commands) {
    const command = await load(context);
    (group === null ? program : ensureGroup(program, group)).addCommand(command);
  }
  const settle = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: out, writeErr: err });
    for (const inner of command.commands) settle(inner);
  };
  settle(program);
  return program;
}

/** The `passport` command, with all of its commands. */
export const buildWholeCli = (context: CommandContext): Promise<Command> => buildProgram(COMMANDS, context);

function ensureGroup(program: Command, { name, summary }: Group): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known !== undefined) return known;
  const made = new Command(name).summary(summary).description(summary);
  program.addCommand(made);
  return made;
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
  const acts = openCliActs({ ...deps, err: printer.err });
  const program = await buildProgram(neededFor(args), {
    deps: { ...deps, out: printer.out, err: printer.err, keepAct: acts.keep },
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
  } finally {
    await acts.close();
  }
}
