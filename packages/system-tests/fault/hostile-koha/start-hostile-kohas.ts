import { fileURLToPath } from 'node:url';
import { startProcess } from '@passport/testkit';

/** Kohas that answer as they like: a process of their own, so that what one does to itself hurts nobody else. */
export interface HostileKohas {
  /** The address of the honest Koha at `port`, made hostile in the way that `name` says. */
  url(port: number, name: string): string;
  /** How often each has answered in its own way. */
  answered(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<unknown>;
}

const MAIN = fileURLToPath(new URL('../../dist/fault/hostile-koha/main.js', import.meta.url));

/** Starts them on a free port, as they were built; they reach the honest Koha with these credentials, whoever calls. */
export async function startHostileKohas(credentials: {
  readonly clientId: string;
  readonly clientSecret: string;
}): Promise<HostileKohas> {
  const listening = /listening on (\d+)/;
  const started = await startProcess({
    command: process.execPath,
    args: [MAIN],
    env: { CLIENT_ID: credentials.clientId, CLIENT_SECRET: credentials.clientSecret },
    readyWhen: listening,
  });
  const at = listening.exec(started.output())?.[1] ?? '';
  return {
    url: (port, name) => `http://127.0.0.1:${at}/${port}/${encodeURIComponent(name)}`,
    answered: async () => {
      const response = await fetch(`http://127.0.0.1:${at}/answered`);
      return (await response.json()) as Readonly<Record<string, number>>;
    },
    close: () => started.stop(1_000),
  };
}
