import { afterEach, expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createMetrics, openLogOutput, startAdminServer } from '@passport/runtime';
import { waitFor } from '@passport/testkit';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/**
 * A logger on a device that is full from the start, as Linux has one. It stays open: the logger tries it again for as long as the process
 * lasts, and must not meet a later test's file under the same number.
 */
function onFullDisk(gatherMs = 0) {
  const fd = openSync('/dev/full', 'w');
  return createLogger({ name: 'test', level: 'info', destination: openLogOutput({ fd, gatherMs }) });
}

test('a log on a full disk throws nothing, and counts what it lost, audit lines apart', async () => {
  const log = onFullDisk();
  log.info({ audit: true, action: 'copied' }, 'copied');
  log.child({ library: 'riverside' }).warn('waiting');
  log.info('ended');

  expect(log.health).toMatchObject({ isFailing: true, lost: { audit: 1, other: 2 } });
  const registry = createMetrics({ process: 'test', processMetrics: false, logHealth: log.health });
  expect(await registry.metrics()).toContain('passport_log_lines_lost_total{kind="audit"} 1');
});

test('gathered lines are counted one by one', () => {
  const log = onFullDisk(60_000);
  for (let n = 0; n < 3; n += 1) log.info({ audit: true }, 'copied');
  log.info('ended');
  expect(log.health.isFailing).toBe(false);
  log.flush();

  expect(log.health).toMatchObject({ isFailing: true, lost: { audit: 3, other: 1 } });
});

test('lines reach their file whole and in order, gathered or not', () => {
  for (const gatherMs of [0, 60_000]) {
    const dir = mkdtempSync(join(tmpdir(), 'passport-log-'));
    const file = join(dir, 'log');
    const fd = openSync(file, 'w');
    closers.push(
      () => rmSync(dir, { recursive: true }),
      () => closeSync(fd),
    );
    const log = createLogger({ name: 'test', level: 'info', destination: openLogOutput({ fd, gatherMs }) });
    for (let n = 0; n < 500; n += 1) log.info({ n, text: 'ü'.repeat(100) }, 'line');
    log.flush();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([...lines.keys()]);
    expect(lines).toHaveLength(500);
  }
});

test('gathered lines are written after so many milliseconds', async () => {
  const log = onFullDisk(10);
  for (const lost of [2, 4]) {
    log.info('one');
    log.info('two');
    expect(log.health.lost.other).toBe(lost - 2);
    await waitFor('both to be tried', () => log.health.lost.other === lost);
  }
});

test('lines that somebody waits for go with those of others, or by themselves in time', async () => {
  const log = onFullDisk(60_000);
  log.info('one');
  const withOthers = log.written(60_000);
  log.info('two');
  expect(log.health.lost.other).toBe(0);
  log.flush();
  await withOthers;
  expect(log.health.lost.other).toBe(2);

  log.info('three');
  await log.written(5);
  expect(log.health.lost.other).toBe(3);
  await log.written(60_000); // nothing is left
});

test('a process whose log cannot be written is live and not ready', async () => {
  const log = onFullDisk();
  const server = await startAdminServer({
    port: 0,
    host: '127.0.0.1',
    ready: () => true,
    metrics: () => Promise.resolve(''),
    log,
  });
  closers.push(() => server.close());
  const status = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
  expect(await status('/readyz')).toBe(200);
  log.info('ended');

  expect(await status('/readyz')).toBe(503);
  expect(await status('/livez')).toBe(200);
});
