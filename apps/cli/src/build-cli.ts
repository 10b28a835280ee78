import { Command, CommanderError } from 'commander';
import { ConfigError } from '@passport/config';
import { candidatesFor } from './commands/completion.ts';
import { openCliActs } from './program/cli-acts.ts';
import type { CliDeps } from './program/cli-deps.ts';
import { type AnyCommand, type CommandContext, buildCommand } from './program/command.ts';
import { Failure, WrongUse } from './program/failure.ts';
import { type Printer, createPrinter } from './program/printed-text.ts';

const EXIT_CODES = '\nExit codes: 0 success, 1 a finding or a failure, 2 wrong usage.';

/** Words that only hold other commands, and what these do. */
const GROUPS: Readonly<Record<string, string>> = {
  config: 'check the configuration, and have it taken over',
  library: 'invite and accept libraries, start, pause and resume them',
  notify: 'test the endpoints that operators are notified at',
  secret: 'generate secrets',
  events: 'list, show, watch and retry events',
  copies: 'list and manage copies, and export their receipts',
};

/** Each command, and how it is loaded: BullMQ and the client of Kohas are most of what a command would wait for. */
const COMMANDS: Readonly<Record<string, () => Promise<AnyCommand>>> = {
  'config check': async () => (await import('./commands/config/check.ts')).configCheck,
  'config reload': async () => (await import('./commands/config/reload.ts')).configReload,
  'library invite': async () => (await import('./commands/library/join/invite.ts')).libraryInvite,
  'library invitations': async () =>
    (await import('./commands/library/join/invitations.ts')).libraryInvitations,
  'library withdraw': async () => (await import('./commands/library/join/invitations.ts')).libraryWithdraw,
  'library requests': async () => (await import('./commands/library/join/requests.ts')).libraryRequests,
  'library accept': async () => (await import('./commands/library/join/accept.ts')).libraryAccept,
  'library decline': async () => (await import('./commands/library/join/invitations.ts')).libraryDecline,
  'library start': async () => (await import('./commands/library/join/start.ts')).libraryStart,
  'library pause': async () => (await import('./commands/library/pause.ts')).libraryPause,
  'library resume': async () => (await import('./commands/library/resume.ts')).libraryResume,
  'notify test': async () => (await import('./commands/notify/test.ts')).notifyTest,
  'secret new': async () => (await import('./commands/secret/new.ts')).secretNew,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  doctor: async () => (await import('./commands/doctor/doctor.ts')).doctor,
  rehearse: async () => (await import('./commands/rehearse/rehearse.ts')).rehearse,
  explain: async () => (await import('./commands/explain/explain.ts')).explainCard,
  export: async () => (await import('./commands/export.ts')).exportData,
  erase: async () => (await import('./commands/erase.ts')).eraseData,
  audit: async () => (await import('./commands/audit.ts')).audit,
  stats: async () => (await import('./commands/stats.ts')).stats,
  owed: async () => (await import('./commands/owed.ts')).owed,
  send: async () => (await import('./commands/send.ts')).sendEvent,
  'events list': async () => (await import('./commands/events/list.ts')).eventsList,
  'events show': async () => (await import('./commands/events/show.ts')).eventsShow,
  'events watch': async () => (await import('./commands/events/watch.ts')).eventsWatch,
  'events retry': async () => (await import('./commands/events/retry.ts')).eventsRetry,
  'copies list': async () => (await import('./commands/copies/list.ts')).copiesList,
  'copies adopt': async () => (await import('./commands/copies/adopt.ts')).copiesAdopt,
  'copies release': async () => (await import('./commands/copies/release.ts')).copiesRelease,
  'copies rekey': async () => (await import('./commands/copies/rekey.ts')).copiesRekey,
  'copies leave': async () => (await import('./commands/copies/leave.ts')).copiesLeave,
  'copies refresh': async () => (await import('./commands/copies/refresh.ts')).copiesRefresh,
  'copies delete': async () => (await import('./commands/copies/delete.ts')).copiesDelete,
  'copies findings': async () => (await import('./commands/copies/findings.ts')).copiesFindings,
  'copies elsewhere': async () => (await import('./commands/copies/elsewhere.ts')).copiesElsewhere,
  'copies export': async () => (await import('./commands/copies/export.ts')).copiesExport,
  completion: async () => (await import('./commands/completion.ts')).completion,
};

/** The commands that these arguments need: the one they name, none for the version, all for help and for mistakes. */
function neededFor(args: readonly string[]): readonly string[] {
  if (args[0] === '--version') return [];
  const all = Object.keys(COMMANDS);
  const named = all.filter((name) => args.slice(0, name.split(' ').length).join(' ') === name);
  return named.length > 0 ? named : all;
}

/** The `passport` command, with these of its commands, or with all. */
export async function buildProgram(
  context: CommandContext,
  names: readonly string[] = Object.keys(COMMANDS),
): Promise<Command> {
  const { out, err } = context.deps;
  const program = new Command('passport')
    .description('Patron Passport: check the configuration, diagnose Kohas, and manage events')
    .version(`Patron Passport ${context.deps.version}`)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(use --help for usage)');
  for (const name of names) {
    const draft = await COMMANDS[name]?.();
    const [group, inner] = name.split(' ');
    const parent = inner === undefined ? program : ensureGroup(program, group ?? '');
    if (draft !== undefined) parent.addCommand(buildCommand(inner ?? name, draft, context));
  }
  const settle = (command: Command): void => {
    command.exitOverride().configureOutput({ writeOut: out, writeErr: err });
    for (const inner of command.commands) settle(inner);
  };
  settle(program);
  return program;
}

function ensureGroup(program: Command, name: string): Command {
  const known = program.commands.find((command) => command.name() === name);
  if (known !== undefined) return known;
  const summary = GROUPS[name] ?? '';
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
  const context = {
    deps: { ...deps, out: printer.out, err: printer.err, keepAct: acts.keep },
    printer,
    end: (code: 0 | 1) => {
      exitCode = code;
    },
  };
  const [first, ...words] = args;
  if (first === '__complete') {
    const candidates = candidatesFor(await buildProgram(context, neededFor(words)), words);
    for (const { word, summary } of candidates) printer.out(`${word}\t${summary}\n`);
    return candidates.length > 0 ? 0 : 1;
  }
  const program = await buildProgram(context, neededFor(args));
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
