import { expect, test } from '@jest/globals';
import { Writable } from 'node:stream';
import { auditedLog, createLogger } from '@passport/runtime';

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
