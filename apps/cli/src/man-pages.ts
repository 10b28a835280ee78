import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { buildProgram } from './build-cli.ts';
import type { CliDeps } from './program/cli-deps.ts';
import { createPrinter } from './program/printed-text.ts';

/** One page of section 1, in man(7)'s macros. */
export interface ManPage {
  readonly file: string;
  readonly text: string;
}

interface Edition {
  readonly version: string;
  /** Such as 2026-11-25. */
  readonly date: string;
}

/** The manual of the passport command: one page for it and one for each command, of the same table as its help. */
export async function manPages(edition: Edition): Promise<readonly ManPage[]> {
  const deps = noMachine(edition.version);
  const context = { deps, printer: createPrinter(deps), end: () => undefined };
  const program = await buildProgram(context);
  const commands = leavesOf(program);
  return [mainPage(program, commands, edition), ...commands.map((command) => pageOf(command, edition))];
}

/** Commands that do something, not those that only hold others. */
const leavesOf = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);

function mainPage(program: Command, commands: readonly Command[], edition: Edition): ManPage {
  const list = commands.map((command) => tagged(bold(titleOf(command)), command.summary()));
  return {
    file: 'passport.1',
    text: lines(
      ...header('passport', 'operate Patron Passport', edition),
      '.SH SYNOPSIS',
      `${bold('passport')} \\fIcommand\\fR [\\fIoptions\\fR]`,
      '.SH DESCRIPTION',
      paragraph(program.description()),
      '.PP',
      paragraph('Each command has a page of its own, such as passport-doctor(1), and the option --help.'),
      '.SH COMMANDS',
      ...list,
      ...exitStatus(),
      '.SH FILES',
      tagged('/etc/patron-passport/passport.yaml', 'The libraries of the consortium and their rules.'),
      tagged('/etc/patron-passport/environment', 'Settings of the processes on this machine.'),
      tagged('/etc/patron-passport/secrets/', 'Secrets, which only root can read.'),
      '.SH SEE ALSO',
      paragraph('/usr/share/doc/patron-passport/'),
    ),
  };
}

function pageOf(command: Command, edition: Edition): ManPage {
  const name = titleOf(command).replaceAll(' ', '-');
  const help = command.createHelp();
  const args = help
    .visibleArguments(command)
    .map((argument) => tagged(help.argumentTerm(argument), help.argumentDescription(argument)));
  const options = help
    .visibleOptions(command)
    .map((option) => tagged(bold(help.optionTerm(option)), help.optionDescription(option)));
  const examples = examplesOf(command).flatMap((example) => ['.PP', '.nf', literal(example), '.fi']);
  return {
    file: `${name}.1`,
    text: lines(
      ...header(name, command.summary(), edition),
      '.SH SYNOPSIS',
      literal(help.commandUsage(command)),
      '.SH DESCRIPTION',
      paragraph(command.description()),
      ...section('ARGUMENTS', args),
      ...section('OPTIONS', options),
      ...section('EXAMPLES', examples),
      ...exitStatus(),
      '.SH SEE ALSO',
      `${bold('passport')}(1)`,
    ),
  };
}

/** The commands after "Examples:" in the help. */
function examplesOf(command: Command): readonly string[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
  return Array.from(help.matchAll(/^ {2}\$ (.+)$/gm), ([, example]) => example ?? '');
}

/** Such as `passport events list`. */
const titleOf = (command: Command): string =>
  command.parent === null ? command.name() : `${titleOf(command.parent)} ${command.name()}`;

const header = (name: string, summary: string, { version, date }: Edition): readonly string[] => [
  `.TH ${literal(name.toUpperCase())} 1 ${date} "Patron Passport ${version}"`,
  '.SH NAME',
  `${literal(name)} \\- ${literal(summary)}`,
];

const exitStatus = (): readonly string[] => [
  '.SH EXIT STATUS',
  tagged('0', 'Success.'),
  tagged('1', 'A finding or a failure.'),
  tagged('2', 'Wrong usage.'),
];

const section = (title: string, content: readonly string[]): readonly string[] =>
  content.length === 0 ? [] : [`.SH ${title}`, ...content];

const tagged = (term: string, text: string): string =>
  lines('.TP', term.startsWith('\\fB') ? term : literal(term), paragraph(text));

const bold = (text: string): string => `\\fB${literal(text)}\\fR`;

const paragraph = (text: string): string => text.split('\n').map(literal).join('\n');

/** Text as it stands: a backslash, a hyphen that can be copied, and no macro at the start of a line. */
const literal = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');

const lines = (...all: readonly string[]): string => all.join('\n');

/** Pages are written without running a command: nothing of a machine is there. */
const noMachine = (version: string): CliDeps => ({
  env: {},
  readFile: () => '',
  writeFile: () => undefined,
  changeFiles: () => undefined,
  lookup: () => Promise.resolve([]),
  stdin: Readable.from([]),
  out: () => undefined,
  err: () => undefined,
  isTerminal: false,
  version,
  user: '',
  fetch: () => Promise.reject(new Error('no network')),
  now: () => 0,
  newId: () => '',
  randomBytes: (length) => Buffer.alloc(length),
  signal: AbortSignal.abort(),
});
