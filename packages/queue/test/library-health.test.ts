import { describe, expect, test } from '@jest/globals';
import { type LibraryHealth, readLibraryStates, retireHealth, writeHealth } from '@passport/queue/processes';
import { NOON, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const MINUTE_MS = 60_000;
const health = (change: Partial<LibraryHealth> = {}): LibraryHealth => ({
  open: false,
  open_since_ms: null,
  last_success_ms: NOON,
  last_failure_ms: null,
  last_failure: null,
  answer_ms: 120,
  waiting: 0,
  problem: null,
  reports_refused: null,
  report_taken_ms: null,
  at_ms: NOON,
  ...change,
});
const see = (worker: string, change: Partial<LibraryHealth> = {}): Promise<void> =>
  writeHealth(fixture.redis, 'midland', worker, health(change));
const midland = async (nowMs = NOON) => (await readLibraryStates(fixture.redis, ['midland'], nowMs))[0];

describe('the health of libraries', () => {
  test('a library that nobody has called is unknown', async () => {
    expect(await midland()).toEqual({
      library: 'midland',
      condition: 'unknown',
      isOpen: false,
      openSinceMs: null,
      lastSuccessMs: null,
      lastFailureMs: null,
      lastFailure: null,
      answerMs: null,
      waiting: 0,
      problem: null,
      reportsRefused: null,
    });
  });

  test.each([
    ['up', {}],
    ['slow', { answer_ms: 1_500 }],
    ['crowded', { waiting: 3, answer_ms: 1_500 }],
    ['open', { open: true, waiting: 3, answer_ms: 1_500 }],
    ['misconfigured', { open: true, problem: { what: 'credentials', name: null } }],
  ] as const)('it is %s', async (condition, change) => {
    await see('worker-1', change);

    expect((await midland())?.condition).toBe(condition);
  });

  test('what several workers saw is drawn together', async () => {
    await see('worker-1', { last_success_ms: NOON - 5_000, open: true, at_ms: NOON - 1_000 });
    await see('worker-2', { last_failure_ms: NOON - 2_000, last_failure: 'timeout', answer_ms: 80 });

    expect(await midland()).toMatchObject({
      condition: 'open',
      lastSuccessMs: NOON,
      lastFailureMs: NOON - 2_000,
      lastFailure: 'timeout',
      answerMs: 120,
    });
  });

  test('a healthy worker does not hide what another finds set up wrongly', async () => {
    await see('worker-1', { problem: { what: 'category', name: 'PT' }, at_ms: NOON - 1_000 });
    await see('worker-2');

    expect(await midland()).toMatchObject({
      condition: 'misconfigured',
      problem: { what: 'category', name: 'PT' },
    });
  });

  test('a healthy worker does not hide that another gets slow answers', async () => {
    await see('worker-1', { answer_ms: 4_000, at_ms: NOON - 1_000 });
    await see('worker-2');

    expect(await midland()).toMatchObject({ condition: 'slow', answerMs: 4_000 });
  });

  test('a problem is over when the worker that saw it no longer does', async () => {
    await see('worker-1', { problem: { what: 'category', name: 'PT' }, at_ms: NOON - 1_000 });
    await see('worker-2');
    await see('worker-1');

    expect(await midland()).toMatchObject({ condition: 'up', problem: null });
  });

  test('what a worker saw before it stopped counts no longer once another has seen it', async () => {
    await see('worker-1', { problem: { what: 'category', name: 'PT' }, at_ms: NOON - 1_000 });
    await retireHealth(fixture.redis, ['midland', 'lakeside'], 'worker-1');
    expect(await midland()).toMatchObject({ condition: 'misconfigured', lastSuccessMs: NOON });

    await see('worker-2');

    expect(await midland()).toMatchObject({ condition: 'up', problem: null });
    expect(await fixture.redis.exists('{passport}:library:lakeside')).toBe(0);
  });

  test('a reload forgets neither the last success nor since when a library is away', async () => {
    const openSince = NOON - 3 * MINUTE_MS;
    await see('worker-1', { open: true, open_since_ms: openSince, last_success_ms: NOON - 4 * MINUTE_MS });
    await retireHealth(fixture.redis, ['midland'], 'worker-1');
    const failed = { last_success_ms: null, last_failure_ms: NOON, last_failure: 'timeout' };

    await see('worker-2', failed);
    await see('worker-2', { ...failed, open: true, open_since_ms: NOON });

    const away = { condition: 'open', openSinceMs: openSince, lastSuccessMs: NOON - 4 * MINUTE_MS };
    expect(await midland()).toMatchObject({ ...away, lastFailureMs: NOON });
  });

  test('a library that was back meanwhile is away since it went again', async () => {
    await see('worker-1', { open: true, open_since_ms: NOON - 3 * MINUTE_MS, last_success_ms: null });
    await see('worker-1', { last_success_ms: NOON - MINUTE_MS });
    await retireHealth(fixture.redis, ['midland'], 'worker-1');

    await see('worker-2', { open: true, open_since_ms: NOON, last_success_ms: null });

    expect(await midland()).toMatchObject({ openSinceMs: NOON, lastSuccessMs: NOON - MINUTE_MS });
  });

  test('a row that is no JSON takes nothing from the others', async () => {
    await see('worker-1');
    await fixture.redis.hset('{passport}:library:midland', 'broken', 'not JSON');

    expect((await midland())?.condition).toBe('up');
    await see('worker-1');
    expect(await fixture.redis.hkeys('{passport}:library:midland')).toEqual(['worker-1']);
  });

  test('a worker that has been silent for long keeps no circuit open', async () => {
    await see('gone', { open: true, at_ms: NOON - 11 * MINUTE_MS });
    await fixture.redis.hset('{passport}:library:midland', 'worker-1', JSON.stringify(health()));

    expect((await midland())?.condition).toBe('up');
  });

  test('when all are silent the last state stands', async () => {
    await see('worker-1', { open: true });

    expect((await midland(NOON + 60 * MINUTE_MS))?.condition).toBe('open');
  });

  test('workers that are gone, or of another version, are forgotten by the next one that writes', async () => {
    await see('gone', { at_ms: NOON - 11 * MINUTE_MS });
    await fixture.redis.hset('{passport}:library:midland', 'newer', '{"circuit":"half-open"}');
    await see('worker-1');

    expect(await fixture.redis.hkeys('{passport}:library:midland')).toEqual(['worker-1']);
  });

  test('what a worker of another version wrote is passed over', async () => {
    await fixture.redis.hset('{passport}:library:midland', 'newer', '{"circuit":"half-open"}');

    expect((await midland())?.condition).toBe('unknown');
  });

  test('libraries come back in the order of the request', async () => {
    await see('worker-1');

    const states = await readLibraryStates(fixture.redis, ['lakeside', 'midland'], NOON);

    expect(states.map(({ library, condition }) => [library, condition])).toEqual([
      ['lakeside', 'unknown'],
      ['midland', 'up'],
    ]);
  });
});
