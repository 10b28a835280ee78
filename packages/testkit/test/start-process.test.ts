import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leakGuard, startProcess, waitFor } from '@passport/testkit';

const own = leakGuard({ beforeEach, afterEach });
const node = (script: string) => ({ command: process.execPath, args: ['-e', script] });

test('it returns when the output says ready, and returns the exit code after SIGTERM', async () => {
  const script = `process.on('SIGTERM', () => process.exit(3)); setTimeout(() => console.log('ready now'), 50); setInterval(() => {}, 1000)`;
  const child = own(await startProcess({ ...node(script), readyWhen: /ready now/ }));
  expect(child.output()).toContain('ready now');
  await expect(child.stop()).resolves.toEqual({ code: 3, signal: null });
});

test('a process that ends before it is ready is an error with its last words', async () => {
  const script = `console.error('no such port'); process.exit(7)`;
  await expect(startProcess({ ...node(script), readyWhen: /never/ })).rejects.toThrow(
    /"code":7[\s\S]*no such port/,
  );
});

test('a program that does not exist is an error', async () => {
  await expect(startProcess({ command: 'no-such-program', readyWhen: /never/ })).rejects.toThrow(
    /no-such-program/,
  );
});

test('a process that does not listen to SIGTERM is killed', async () => {
  const script = `process.on('SIGTERM', () => {}); console.log('stubborn'); setInterval(() => {}, 1000)`;
  const child = own(await startProcess({ ...node(script), readyWhen: /stubborn/ }));
  await expect(child.stop(100)).resolves.toEqual({ code: null, signal: 'SIGKILL' });
});

test('it sees PATH, HOME, the temporary folder of the run and what it is given, and nothing else of ours', async () => {
  process.env['PASSPORT_TEST_LEAK'] = 'ours';
  const child = own(
    await startProcess({
      ...node('console.log(JSON.stringify(Object.keys(process.env).sort()))'),
      env: { GIVEN: 'yes' },
    }),
  );
  await child.exited;
  delete process.env['PASSPORT_TEST_LEAK'];
  const folder = process.env['TMPDIR'] === undefined ? [] : ['TMPDIR'];
  expect(JSON.parse(child.stdout())).toEqual(['GIVEN', 'HOME', 'PATH', ...folder]);
});

test('the log file holds both outputs', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'passport-process-'));
  own({ stop: () => rm(dir, { recursive: true }) });
  const logFile = join(dir, 'child.log');
  const child = own(await startProcess({ ...node(`console.log('out'); console.error('err')`), logFile }));
  await child.exited;
  const log = await waitFor('the log', async () => {
    const text = await readFile(logFile, 'utf8');
    return text.includes('out') && text.includes('err') ? text : null;
  });
  expect(log.split('\n').sort()).toEqual(['', 'err', 'out']);
});
