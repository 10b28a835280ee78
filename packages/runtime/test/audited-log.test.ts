import { expect, test } from '@jest/globals';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { auditedLog, createLogger } from '@passport/runtime';
import { openLogOutput } from '../src/log-output.ts';

test.each(['info', 'error'])('at level %s, audit lines are passed on after they were written', (level) => {
  const seen: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      seen.push(`log ${String((JSON.parse(chunk.toString()) as { n: number }).n)}`);
      done();
    },
  });
  const log = auditedLog(createLogger({ name: 'test', level, destination }), ({ n }) =>
    seen.push(`kept ${String(n)}`),
  );
  log.info({ audit: true, n: 1 }, 'done');
  log.warn({ audit: true, n: 2 }, 'refused');
  log.info({ n: 3 }, 'something else');
  log.info('a sentence');
  log.error({ n: 4 }, 'a failure');
  expect(seen).toEqual(
    level === 'info'
      ? ['log 1', 'kept 1', 'log 2', 'kept 2', 'log 3', 'log undefined', 'log 4']
      : ['kept 1', 'kept 2', 'log 4'],
  );
  expect(log.health.lost).toEqual({ audit: 0, other: 0 });
});

test('an audit line has left the process when it was written, with all that was gathered before it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'passport-log-'));
  const fd = openSync(join(folder, 'log'), 'a+');
  try {
    const written = (): readonly unknown[] =>
      readFileSync(join(folder, 'log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { n: number }).n);
    const keptWith: unknown[] = [];
    const destination = openLogOutput({ fd, gatherMs: 60_000 });
    const log = auditedLog(createLogger({ name: 'test', level: 'info', destination }), () =>
      keptWith.push(written()),
    );
    log.info({ n: 1 }, 'something else');
    expect(written()).toEqual([]);
    log.info({ audit: true, n: 2 }, 'done');
    log.warn({ audit: true, n: 3 }, 'refused');
    expect(written()).toEqual([1, 2, 3]);
    expect(keptWith).toEqual([
      [1, 2],
      [1, 2, 3],
    ]);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});
