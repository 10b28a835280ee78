import { EventEmitter, getMaxListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { Lifecycle } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

const never = () => new Promise<void>(() => undefined);

function arrange(options: { graceMs?: number; stepMs?: number } = {}) {
  const { log, text, lines } = capturedLog();
  const signals = new EventEmitter();
  const exits: number[] = [];
  const closed: string[] = [];
  const lifecycle = new Lifecycle(log, { graceMs: 5_000, stepMs: 20, ...options, process: signals });
  const own = (name: string, close: () => Promise<unknown> | void = () => undefined) =>
    lifecycle.own(name, async () => {
      await close();
      closed.push(name);
    });
  const listen = () => lifecycle.onSignals((code) => void exits.push(code));
  return { lifecycle, own, closed, signals, exits, listen, text, lines };
}

test('what was opened is closed in reverse order, one after the other, with exit code 0', async () => {
  const { lifecycle, own, closed } = arrange();
  own('redis');
  own('queue', () => new Promise((resolve) => setImmediate(resolve)));
  own('http');
  await expect(lifecycle.stop('test')).resolves.toBe(0);
  expect(closed).toEqual(['http', 'queue', 'redis']);
});

test('stopping happens once, whoever requests it', async () => {
  const { lifecycle, own, closed } = arrange();
  own('redis');
  await Promise.all([lifecycle.stop('one'), lifecycle.stop('two')]);
  await lifecycle.stop('three');
  expect(closed).toEqual(['redis']);
});

test('the signal is aborted before the first thing is closed, the deadline is not', async () => {
  const { lifecycle, own } = arrange();
  const seen: boolean[] = [];
  own('http', () => {
    seen.push(lifecycle.stopping, lifecycle.signal.aborted, lifecycle.deadline.aborted);
  });
  expect(lifecycle.stopping).toBe(false);
  await lifecycle.stop('test');
  expect(seen).toEqual([true, true, false]);
});

test('a step that fails does not keep the others from closing, and the exit code is 1', async () => {
  const { lifecycle, own, closed, text } = arrange();
  own('redis');
  own('queue', () => Promise.reject(new Error('Missing lock')));
  own('http', () => {
    throw new Error('Server is not running');
  });
  await expect(lifecycle.stop('test')).resolves.toBe(1);
  expect(closed).toEqual(['redis']);
  expect(text()).toContain('Missing lock');
});

test('a step that never ends is left behind after the grace, and the others still close', async () => {
  const { lifecycle, own, closed, lines } = arrange({ graceMs: 30, stepMs: 20 });
  own('redis');
  own('worker', never);
  await expect(lifecycle.stop('test')).resolves.toBe(1);
  expect(closed).toEqual(['redis']);
  expect(lines()).toContainEqual(expect.objectContaining({ step: 'worker', msg: 'closing failed' }));
}, 3_000);

test('a step that returns when the deadline is aborted ends well', async () => {
  const { lifecycle, own, closed } = arrange({ graceMs: 20, stepMs: 1_000 });
  own(
    'worker',
    () => new Promise<void>((resolve) => lifecycle.deadline.addEventListener('abort', () => resolve())),
  );
  await expect(lifecycle.stop('test')).resolves.toBe(0);
  expect(closed).toEqual(['worker']);
});

test('SIGTERM stops and exits with 0; a second signal aborts the deadline at once', async () => {
  const { lifecycle, own, signals, exits, listen } = arrange({ graceMs: 60_000 });
  own(
    'worker',
    () => new Promise<void>((resolve) => lifecycle.deadline.addEventListener('abort', () => resolve())),
  );
  listen();
  signals.emit('SIGTERM');
  await waitFor('stopping', () => lifecycle.stopping);
  expect(lifecycle.deadline.aborted).toBe(false);
  signals.emit('SIGINT');
  await waitFor('the exit', () => exits.length > 0);
  expect(exits).toEqual([0]);
});

test('a third signal does not wait for anything', () => {
  const { own, signals, exits, listen } = arrange({ graceMs: 60_000, stepMs: 500 });
  own('worker', never);
  listen();
  for (const signal of ['SIGINT', 'SIGINT', 'SIGINT']) signals.emit(signal);
  expect(exits).toEqual([1]);
});

test.each(['uncaughtException', 'unhandledRejection'])(
  '%s is logged, closes everything and exits with 1',
  async (event) => {
    const { own, closed, signals, exits, listen, lines } = arrange();
    own('redis');
    listen();
    signals.emit(event, new Error('a bug'));
    await waitFor('the exit', () => exits.length > 0);
    expect(exits).toEqual([1]);
    expect(closed).toEqual(['redis']);
    expect(lines()).toContainEqual(expect.objectContaining({ level: 'fatal' }));
  },
);

test('an error during an orderly stop still makes the exit code 1', async () => {
  const { own, signals, exits, listen } = arrange();
  own('redis', () => {
    signals.emit('unhandledRejection', new Error('a bug'));
  });
  listen();
  signals.emit('SIGTERM');
  await waitFor('the exits', () => exits.length > 0);
  expect(exits.every((code) => code === 1)).toBe(true);
});

test('what is opened while stopping is closed at once', async () => {
  const { lifecycle, own, closed } = arrange();
  await lifecycle.stop('test');
  own('late');
  await waitFor('the late thing to be closed', () => closed.includes('late'));
});

test('any number of jobs may listen for the stop without a warning of a leak', () => {
  const { lifecycle } = arrange();
  expect([lifecycle.signal, lifecycle.deadline].map((signal) => getMaxListeners(signal))).toEqual([
    Infinity,
    Infinity,
  ]);
});

test('a part that is stopped alone leaves the process as it is, and has a grace of its own', async () => {
  const { lifecycle, own, closed } = arrange();
  own('redis');
  const part = lifecycle.part('work', 10);
  part.own(
    'scans',
    () => new Promise((resolve) => part.deadline.addEventListener('abort', () => resolve(null))),
  );
  await expect(part.stop('replaced')).resolves.toBe(0);
  expect([lifecycle.stopping, lifecycle.deadline.aborted]).toEqual([false, false]);
  expect(closed).toEqual([]);
  await lifecycle.stop('test');
  expect(closed).toEqual(['redis']);
});

test('a part stops with its process, before what was opened before it, and has the grace of the process', async () => {
  const { lifecycle, own, closed } = arrange({ graceMs: 5_000 });
  own('redis');
  const part = lifecycle.part('work', 1);
  const opened: (() => void)[] = [];
  part.own('scans', () =>
    new Promise<void>((resolve) => opened.push(resolve)).then(() => void closed.push('scans')),
  );
  const stopped = lifecycle.stop('test');
  await waitFor('the part to be closing', () => opened.length === 1);
  // One with as short a grace that begins later has used it up.
  const other = arrange({ graceMs: 1 }).lifecycle;
  other.own('hanging', never);
  await other.stop('test');
  expect(part.deadline.aborted).toBe(false);
  opened[0]?.();
  await expect(stopped).resolves.toBe(0);
  expect(closed).toEqual(['scans', 'redis']);
});

test('a second signal aborts the deadline of a part, and a part that cannot be closed is a failed stop', async () => {
  const { lifecycle, listen, signals, exits } = arrange();
  listen();
  const part = lifecycle.part('work', 5_000);
  part.own('scans', never);
  signals.emit('SIGTERM');
  await waitFor('the part to be stopping', () => part.stopping);
  signals.emit('SIGTERM');
  expect(part.deadline.aborted).toBe(true);
  await waitFor('the end', () => exits.length === 1);
  expect(exits).toEqual([1]);
});

test('SIGHUP reloads, and stops nothing', () => {
  const { lifecycle, signals } = arrange();
  let reloads = 0;
  lifecycle.onReload(() => {
    reloads += 1;
  });
  signals.emit('SIGHUP');
  expect([reloads, lifecycle.stopping]).toEqual([1, false]);
});
