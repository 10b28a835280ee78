import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { runCli } from './build-cli.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

const wantsColors = process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
  stdin: process.stdin,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stdout.isTTY && wantsColors,
  user: userInfo().username,
  fetch,
  now: Date.now,
  newId: () => `evt_${randomUUID()}`,
  randomBytes,
  signal: interrupted.signal,
});
