import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { leakGuard, type StartedProcess, startProcess, waitFor } from '@passport/testkit';
import { transform } from '@swc/wasm-typescript';

const own = leakGuard({ beforeEach, afterEach });
const BEAT_MS = 50;
const BLOCKED_MS = 1_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'passport-loop-'));
  const source = await readFile(new URL('../src/event-loop-watch.ts', import.meta.url), 'utf8');
  const { code } = await transform(source, { mode: 'strip-only', module: true });
  await writeFile(join(dir, 'event-loop-watch.mjs'), code);
});
afterAll(() => rm(dir, { recursive: true }));

/** A process that says `runs` every 50 ms, and blocks its loop when it gets SIGUSR2, for `blocksForMs`. */
async function start(
  blocksForMs: number,
  flags: readonly string[] = [],
  killed = 'process.pid',
): Promise<StartedProcess> {
  const file = join(dir, `main-${blocksForMs}.mjs`);
  await writeFile(
    file,
    `import { watchEventLoop } from './event-loop-watch.mjs';
    watchEventLoop({ name: 'tested', pid: ${killed}, log: { error: (line) => console.log(line) }, beatMs: ${BEAT_MS}, blockedMs: ${BLOCKED_MS} });
    process.on('SIGUSR2', () => {
      console.log('blocking');
      const until = performance.now() + ${blocksForMs};
      while (performance.now() < until);
      console.log('unblocked');
    });
    setInterval(() => console.log('runs'), 50);`,
  );
  const args = [...flags, file];
  return own(await startProcess({ command: process.execPath, args, readyWhen: /runs/ }));
}

const runs = (started: StartedProcess): number => started.stdout().split('runs').length;
const goesOn = async (started: StartedProcess): Promise<void> => {
  const before = runs(started);
  await waitFor('it to go on', () => runs(started) > before + 2);
};

test('a process whose event loop stays blocked is ended, after one line', async () => {
  const started = await start(60_000);
  started.kill('SIGUSR2');
  expect(await started.exited).toEqual({ code: null, signal: 'SIGKILL' });
  const lines = started
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'fatal',
      time: expect.any(String),
      name: 'tested',
      blocked_ms: BLOCKED_MS,
      msg: 'the event loop is blocked: the process ends, to be started again',
    },
  ]);
});

test('one that cannot be killed, as the first process of a container, is made to exit', async () => {
  const nobody = '4194304';
  const started = await start(60_000, [], nobody);
  started.kill('SIGUSR2');
  expect(await started.exited).toEqual({ code: 137, signal: null });
  expect(started.stdout()).toContain('the event loop is blocked');
});

test('one that is blocked for less goes on', async () => {
  const started = await start(500);
  started.kill('SIGUSR2');
  await waitFor('it to have been blocked', () => started.stdout().includes('unblocked'));
  await goesOn(started);
});

test('one that is suspended for longer, and then continued, goes on', async () => {
  const started = await start(500);
  started.kill('SIGSTOP');
  const endsAt = performance.now() + 2 * BLOCKED_MS;
  await waitFor('it to have been suspended', () => performance.now() >= endsAt);
  started.kill('SIGCONT');
  await goesOn(started);
});

test('one in a debugger goes on, however long its loop is blocked', async () => {
  const started = await start(2 * BLOCKED_MS, ['--inspect=127.0.0.1:0']);
  started.kill('SIGUSR2');
  await waitFor('it to have been blocked', () => started.stdout().includes('unblocked'));
  await goesOn(started);
});
