import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Attempt, JobData } from '@passport/contract';
import type { RunResult } from '../src/job/run-scan.ts';
import { CARD } from './builders.ts';
import { type WorkflowBench, openWorkflow } from './workflow-bench.ts';

let bench: WorkflowBench;
beforeEach(async () => {
  bench = await openWorkflow();
  // The first call is the slowest: on a busy machine it could meet the deadline that the tests are about.
  await bench.run({ card: 'warm-up' });
});
afterEach(() => bench.stop());

const jobOf = (run: RunResult): JobData => {
  if (!('job' in run)) throw new Error(`the run came to ${run.kind}`);
  return run.job;
};
const attemptsOf = (run: RunResult): readonly Attempt[] => jobOf(run).attempts ?? [];
const described = ({ calls, result }: Attempt): readonly string[] => [
  ...calls.map(({ library, step, answer }) => `${library} ${step} ${answer}`),
  result,
];
const SILENT = { operation: 'GET /patrons', times: 1, kind: 'status', status: 503, body: {} } as const;

test('an attempt says which libraries were queried, what came back, and how long it took', async () => {
  const [attempt, ...more] = attemptsOf(await bench.run());
  expect(more).toEqual([]);
  expect(attempt === undefined ? [] : described(attempt)).toEqual([
    'midland locate answered',
    'riverside copy COPIED',
    'riverside checkout CHECKED_OUT',
    'COPIED',
  ]);
  expect(Math.abs(Date.now() - (attempt?.at_ms ?? 0))).toBeLessThan(60_000);
  for (const { ms } of attempt?.calls ?? []) expect(ms).toBeGreaterThanOrEqual(0);
  expect(attempt?.ms).toBeGreaterThanOrEqual(attempt?.calls[1]?.ms ?? Infinity);
});

test('an attempt that failed is followed by the one after it', async () => {
  bench.midland.addFaults([SILENT]);
  const first = await bench.run();
  expect(attemptsOf(first).map(described)).toEqual([['midland locate NO_ANSWER', 'NO_ANSWER']]);
  const second = await bench.run({
    job: { attempts: jobOf(first).attempts, progress: jobOf(first).progress },
  });
  expect(attemptsOf(second).map(described)).toEqual([
    ['midland locate NO_ANSWER', 'NO_ANSWER'],
    ['midland locate answered', 'riverside copy COPIED', 'riverside checkout CHECKED_OUT', 'COPIED'],
  ]);
});

test('whether a library knows the card is not in it: the lending library may not learn that', async () => {
  const unknown = attemptsOf(await bench.run({ card: '21234000000000' }));
  expect(unknown.map(described)).toEqual([['midland locate answered', 'NOT_FOUND']]);
});

test('a scan without an item was not checked out', async () => {
  expect(attemptsOf(await bench.run({ item: null })).map(described)).toEqual([
    ['midland locate answered', 'riverside copy COPIED', 'COPIED'],
  ]);
});

test('a run that only waited for others leaves no attempt', async () => {
  const busy = await bench.run({}, { withPatronLock: () => Promise.resolve(null) });
  expect(attemptsOf(busy).map(described)).toEqual([['midland locate answered', 'BUSY']]);
  const full = { kind: 'retry', library: 'riverside', reason: 'LIMIT_REACHED', retryAfterMs: null } as const;
  const waits = await bench.run(
    {},
    {
      quota: {
        isAmple: () => false,
        reserve: () => Promise.resolve({ ...full, otherwise: { outcome: 'TOO_LATE' } }),
      },
    },
  );
  expect(attemptsOf(waits)).toEqual([]);
});

test('nothing personal is in it', async () => {
  const text = JSON.stringify(attemptsOf(await bench.run()));
  expect(text).toContain('midland');
  for (const personal of [CARD, 'Okafor', 'Adaeze', 'adaeze@post.example', 'Harbour']) {
    expect(text).not.toContain(personal);
  }
});
