import { fileURLToPath } from 'node:url';
import { startProcess, type StartedProcess } from '@passport/testkit';

/** Starts one of the programs in `processes`, and returns when it prints `ready`. */
export const startPeer = (name: string, ...args: readonly string[]): Promise<StartedProcess> =>
  startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL(`./processes/${name}.js`, import.meta.url)), ...args],
    env: { NODE_ENV: 'production' },
    readyWhen: /^ready$/m,
  });
