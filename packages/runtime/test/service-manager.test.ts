import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServiceManager } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

let dir: string;
let stop: AbortController;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'passport-notify-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  // A last report may still be written into it.
  await waitFor('the folder to be gone', () => {
    rmSync(dir, { recursive: true, force: true });
    return !existsSync(dir);
  });
});

/** A `systemd-notify` that writes down how it was called. */
function installProgram(exitCode = 0): void {
  const script = `#!/bin/sh\necho "$@" >>${dir}/calls\nenv >${dir}/environment\nexit ${exitCode}\n`;
  writeFileSync(join(dir, 'systemd-notify'), script, { mode: 0o755 });
}

const calls = (): readonly string[] =>
  existsSync(join(dir, 'calls')) ? readFileSync(join(dir, 'calls'), 'utf8').split('\n').filter(Boolean) : [];

function arrange(env: Readonly<Record<string, string>>) {
  const { log, lines } = capturedLog();
  const path = `${dir}:${process.env['PATH'] ?? ''}`;
  const options = { pid: 4_711, stopping: stop.signal, log };
  return { manager: createServiceManager({ PATH: path, ...env }, options), lines };
}

test('systemd learns when the process is ready and when it begins to stop', async () => {
  installProgram();
  const { manager } = arrange({ NOTIFY_SOCKET: '/run/systemd/notify' });
  manager.ready();
  await waitFor('READY=1', () => calls().length === 1);
  stop.abort();
  await waitFor('STOPPING=1', () => calls().length === 2);
  expect(calls()).toEqual(['READY=1', 'STOPPING=1']);
});

test('a process that stops before it was ready is never reported ready', async () => {
  installProgram();
  const { manager } = arrange({ NOTIFY_SOCKET: '/run/systemd/notify' });
  stop.abort();
  manager.ready();
  await waitFor('STOPPING=1', () => calls().length === 1);
  expect(calls()).toEqual(['STOPPING=1']);
});

test('the watchdog hears of a running event loop again and again', async () => {
  installProgram();
  const watchdog = { WATCHDOG_USEC: '40000', WATCHDOG_PID: '4711' };
  arrange({ NOTIFY_SOCKET: '/run/systemd/notify', ...watchdog });
  await waitFor('two reports', () => calls().length >= 2);
  expect(new Set(calls())).toEqual(new Set(['WATCHDOG=1']));
});

test.each([
  ['another process', { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }],
  ['nobody', {}],
  ['something that is no number', { WATCHDOG_USEC: 'soon' }],
])('a watchdog that waits for %s gets no reports', async (_whom, watchdog) => {
  installProgram();
  const { manager } = arrange({ NOTIFY_SOCKET: '/run/systemd/notify', ...watchdog });
  // One that came would be there before: each is sent at once.
  await waitFor('two more starts of the program', () => {
    manager.ready();
    return calls().length >= 2;
  });
  expect(new Set(calls())).toEqual(new Set(['READY=1']));
});

test('what was not started by systemd runs no program', async () => {
  installProgram();
  arrange({ WATCHDOG_USEC: '1000' }).manager.ready();
  arrange({ NOTIFY_SOCKET: '/run/systemd/notify' });
  stop.abort();
  await waitFor('STOPPING=1 of the other', () => calls().length >= 1);
  expect(calls()).toEqual(['STOPPING=1']);
});

test('the program gets none of the secrets of our environment', async () => {
  installProgram();
  const env = { NOTIFY_SOCKET: '/run/systemd/notify', PASSPORT_KEY: 'planted', REDIS_URL: 'planted' };
  arrange(env).manager.ready();
  await waitFor('READY=1', () => calls().length === 1 && existsSync(join(dir, 'environment')));
  const text = await waitFor('its environment', () => readFileSync(join(dir, 'environment'), 'utf8') || null);
  expect(text).toContain('NOTIFY_SOCKET=/run/systemd/notify');
  expect(text).not.toContain('planted');
});

test('a program that fails, or is not there, ends nothing and is logged once', async () => {
  installProgram(1);
  const { lines } = arrange({ NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '20000' });
  await waitFor('three reports', () => calls().length >= 3);
  expect(lines()).toMatchObject([{ msg: 'systemd was not notified', code: 1 }]);
  rmSync(join(dir, 'systemd-notify'));
  const missing = arrange({ PATH: dir, NOTIFY_SOCKET: '/run/systemd/notify' });
  missing.manager.ready();
  await waitFor('the line of the log', () => missing.lines().length > 0);
  expect(missing.lines()).toMatchObject([{ msg: 'systemd was not notified', code: 'ENOENT' }]);
});
