/** How the service was installed, as `PASSPORT_INSTALL` says it: compose file, units and demo set it, so that what is to be typed fits. */
const INSTALLS = {
  compose: {
    passport: 'docker compose run --rm cli',
    // A terminal of its own would keep it from what it is to read.
    piped: 'docker compose run --rm -T cli',
    start: (process: string) => `docker compose up -d ${process}`,
    state: (process: string) => `docker compose ps ${process}`,
    log: (process: string) => `docker compose logs --tail 50 ${process}`,
  },
  debian: {
    passport: 'sudo passport',
    piped: 'sudo passport',
    start: (process: string) => `sudo systemctl start ${unitsOf(process)}`,
    state: (process: string) => `systemctl status ${unitsOf(process)}`,
    log: (process: string) => `sudo journalctl -n 50 -u ${unitsOf(process)}`,
  },
} as const;

/** Workers are instances of one unit; those that are enabled are meant. */
const unitsOf = (process: string): string =>
  process === ''
    ? "'patron-passport-*'"
    : process === 'worker'
      ? "--all 'patron-passport-worker@*'"
      : `patron-passport-${process}`;

type Commands = (typeof INSTALLS)['compose'] | (typeof INSTALLS)['debian'];

const commandsOf = (install: string | undefined): Commands | null =>
  install === 'compose' || install === 'debian' ? INSTALLS[install] : null;

/** The command that starts a process: the one of this installation, or each where nobody says which it is. */
export function startCommand(process: string, install: string | undefined): string {
  const here = commandsOf(install);
  if (here !== null) return here.start(process);
  return `${INSTALLS.compose.start(process)} (compose), or ${INSTALLS.debian.start(process)} (Debian)`;
}

/** A command as the documentation has it, with compose, as it is typed in this installation. Where nobody says which it is, it stays. */
export function installedCommand(documented: string, install: string | undefined): string {
  const here = commandsOf(install);
  if (here === null) return documented;
  const [, what = '', process = ''] =
    /^docker compose (ps|logs --tail 50|up -d)(?: (receiver|worker|dashboard|redis))?$/.exec(documented) ??
    [];
  if (what === 'ps') return here.state(process).trim();
  if (what === 'up -d') return here.start(process).trim();
  if (what !== '') return here.log(process).trim();
  return installedText(documented, install);
}

/** The first word of each command of `passport`; not of `completion`, which is for the shell of who types. */
const COMMANDS =
  'audit config copies doctor erase events explain export library notify owed rehearse secret send stats status';
/** A command in a sentence, with one space or an end of line in it, as columns of a table have not; to its end where it reads what the shell hands it, or is read by the shell. */
const COMMAND = new RegExp(
  String.raw`(?<![\w./-]|sudo )passport(?: |[ \t]*\n[ \t]*)(?=(?:${COMMANDS.replaceAll(' ', '|')})\b((?:(?!passport)[^\n\u0060])* [<|] )?)`,
  'g',
);

/** A text with each `passport` command in it as it is typed in this installation. Where nobody says which it is, it stays. */
export function installedText(text: string, install: string | undefined): string {
  const here = commandsOf(install);
  if (here === null) return text;
  return text.replaceAll(
    COMMAND,
    (_, piped?: string) => `${piped === undefined ? here.passport : here.piped} `,
  );
}
