import { fileURLToPath } from 'node:url';
import { startProcess } from '@passport/testkit';
import type { Written } from './hostile-answer.ts';

/** Kohas that answer as they like: a process of their own, so that what one does to itself hurts nobody else. */
export interface HostileKohas {
  /** The address of the honest Koha at `port`, made hostile in the way that `name` says. */
  url(port: number, name: string): string;
  /** How often each has answered in its own way. */
  answered(): Promise<Readonly<Record<string, number>>>;
  /** What was sent to them to be written, oldest first. */
  written(): Promise<readonly Written[]>;
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
  const read = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${at}${path}`)).json();
  return {
    url: (port, name) => `http://127.0.0.1:${at}/${port}/${encodeURIComponent(name)}`,
    answered: async () => (await read('/answered')) as Readonly<Record<string, number>>,
    written: async () => (await read('/written')) as readonly Written[],
    close: () => started.stop(1_000),
  };
}
