import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger } from '@passport/runtime';
import { buildFailureLog, nameOfFailure } from '../src/koha/failure-log.ts';
import { manualClock, kohaError } from './builders.ts';

function bench() {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const clock = manualClock();
  const failures = buildFailureLog(clock.now, createLogger({ name: 'test', level: 'info', destination }));
  return { lines, clock, failures };
}

const expired = kohaError('unreachable', { causeCode: 'certificate_expired' });

test('why a library fails is in the log, and again when it loses its circuit', () => {
  const { lines, failures } = bench();
  for (let n = 0; n < 5; n += 1) failures.failed('midland', expired);
  failures.circuitChanged('midland', true);
  failures.circuitChanged('midland', false);

  expect(lines).toMatchObject([
    { level: 'warn', library: 'midland', code: 'unreachable', cause_code: 'certificate_expired' },
    { library: 'midland', circuit: 'open', code: 'unreachable', cause_code: 'certificate_expired' },
    { library: 'midland', circuit: 'closed' },
  ]);
});

test('one that goes on for another reason is logged again, the same reason once a minute', () => {
  const { lines, clock, failures } = bench();
  failures.failed('midland', expired);
  failures.failed('midland', kohaError('unreachable', { causeCode: 'dns' }));
  failures.answered('midland');
  failures.failed('midland', kohaError('unreachable', { causeCode: 'dns' }));
  expect(lines.map(({ cause_code: cause }) => cause)).toEqual(['certificate_expired', 'dns']);
  clock.forward(60_000);
  failures.failed('midland', kohaError('unreachable', { causeCode: 'dns' }));
  expect(lines).toHaveLength(3);
});

test('what was never sent is no failure of the library', () => {
  const { lines, failures } = bench();
  for (const code of ['busy', 'aborted', 'too_late'] as const) failures.failed('midland', kohaError(code));
  expect(lines).toEqual([]);
});

test('the dashboard shows the cause beside the code', () => {
  expect(nameOfFailure(expired)).toBe('unreachable: certificate_expired');
  expect(nameOfFailure(kohaError('http_5xx'))).toBe('http_5xx');
});
