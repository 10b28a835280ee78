import { randomBytes, randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { runCli } from './build-cli.ts';
import { changeFiles } from './connect/change-files.ts';

const LAST_WORDS_MS = 1_000;
const interrupted = new AbortController();
let endsItself = false;
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(exitCode);
    interrupted.abort();
    // What follows an event, or goes through copies, stops by itself and says how to go on; what does not is ended.
    setTimeout(() => endsItself || process.exit(exitCode), LAST_WORDS_MS).unref();
  });
}
// `passport copies export | head`: whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const isSmart = process.env['TERM'] !== 'dumb';

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
  writeFile: (path, text) => writeFileSync(path, text, { mode: 0o600 }),
  changeFiles: (changes) => changeFiles(changes),
  lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  stdin: process.stdin,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stdout.isTTY && isSmart,
  isErrTerminal: process.stderr.isTTY && isSmart,
  hasColors: process.env['NO_COLOR'] === undefined,
  columns: process.stdout.columns,
  version,
  user: userInfo().username,
  fetch,
  now: Date.now,
  newId: () => `evt_${randomUUID()}`,
  randomBytes,
  signal: interrupted.signal,
  endsItself: () => {
    endsItself = true;
  },
});
