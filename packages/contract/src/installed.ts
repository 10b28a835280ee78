/** How the service was installed, as `PASSPORT_INSTALL` says it: compose file, units and demo set it, so that what is to be typed fits. */
const INSTALLS = {
  compose: {
    passport: 'docker compose run --rm cli',
    start: (process: string) => `docker compose up -d ${process}`,
    state: (process: string) => `docker compose ps ${process}`,
    log: (process: string) => `docker compose logs --tail 50 ${process}`,
  },
  debian: {
    passport: 'sudo passport',
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
  return documented.replace(/^passport(?= )/, here.passport);
}
