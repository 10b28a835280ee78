import { describe, expect, test } from '@jest/globals';
import { RedisUnavailable, createLogger } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { Writable } from 'node:stream';
import { buildEndCheck } from '../src/job/end-check.ts';

function arrange(again: () => Promise<void> = () => Promise.resolve()) {
  let breaks = 0;
  let written = 0;
  let logged = '';
  const deadline = new AbortController();
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged += chunk.toString();
      done();
    },
  });
  const check = buildEndCheck({
    breaks: () => breaks,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    deadline: deadline.signal,
    log: createLogger({ name: 'test', level: 'trace', destination }),
  });
  const job = {};
  return {
    check,
    job,
    deadline,
    loseConnection: () => (breaks += 1),
    end: () =>
      check.writing(job, async () => {
        written += 1;
        await again();
      }),
    written: () => written,
    logged: () => logged,
  };
}

describe('the end of a job', () => {
  test('is written once while Redis stays', async () => {
    const { check, job, end, written } = arrange();
    end();
    check.finished(job);
    await check.settled();
    expect(written()).toBe(0);
  });

  test('is written again when a connection was lost before BullMQ had finished the job', async () => {
    const { check, job, end, loseConnection, written } = arrange();
    end();
    loseConnection();
    check.finished(job);
    await check.settled();
    expect(written()).toBe(1);
  });

  test('is not when the connection was lost before it or after it, or when the job was not finished', async () => {
    const { check, job, end, loseConnection, written } = arrange();
    loseConnection();
    end();
    check.finished(job);
    loseConnection();
    check.finished(job);
    check.finished({});
    end();
    loseConnection();
    await check.settled();
    expect(written()).toBe(0);
  });

  test('is tried until Redis takes it', async () => {
    let away = 3;
    const { check, job, end, loseConnection, written } = arrange(() => {
      away -= 1;
      return away > 0 ? Promise.reject(new RedisUnavailable('Connection is closed.')) : Promise.resolve();
    });
    end();
    loseConnection();
    check.finished(job);
    await check.settled();
    expect(written()).toBe(3);
  });

  test('delays no stop for longer than the deadline', async () => {
    const { check, job, end, loseConnection, written, deadline } = arrange(() =>
      Promise.reject(new RedisUnavailable('Connection is closed.')),
    );
    end();
    loseConnection();
    check.finished(job);
    await waitFor('some tries', () => written() > 2);
    deadline.abort();
    await check.settled();
  });

  test('that meets a bug is reported and left', async () => {
    const { check, job, end, loseConnection, written, logged } = arrange(() =>
      Promise.reject(new TypeError('not a function')),
    );
    end();
    loseConnection();
    check.finished(job);
    await check.settled();
    expect(written()).toBe(1);
    expect(logged()).toContain('the end of a job was not written again');
  });
});
