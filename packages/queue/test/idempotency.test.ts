import { describe, expect, test } from '@jest/globals';
import { buildAdmission } from '@passport/queue/admission';
import { openLedger } from '@passport/queue/ledger';
import { addScans } from '@passport/queue/scans';
import { entered, event, jobData, useQueueFixture, question, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture();
const admit = openAdmission(fixture);

const IDEMPOTENCY_KEY = '{passport}:idempotency:riverside.evt_1';
const add = (change: Parameters<typeof jobData>[0] = {}): Promise<void> =>
  addScans(fixture.queue, [{ job: jobData(change), priority: 1 }]);

describe('the idempotency key of an event', () => {
  test('a first delivery is new, is to be added, and is remembered for 80 hours', async () => {
    const before = await fixture.redisNow();

    const answer = entered(await admit(question()));

    expect(answer).toMatchObject({ kind: 'new', eventId: 'evt_1', add: true, priority: 1 });
    expect(answer.nowMs).toBeGreaterThanOrEqual(before);
    expect(answer.nowMs).toBeLessThanOrEqual(await fixture.redisNow());
    expect(Number(await fixture.server.call('TTL', IDEMPOTENCY_KEY))).toBeGreaterThan(80 * 3600 - 5);
  });

  test('the same delivery again is a duplicate that nobody adds', async () => {
    await admit(question());
    await add();

    expect(await admit(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test.each(['look', 'take'] as const)('the same id with another body is a reuse (%s)', async (mode) => {
    await admit(question());
    await add();

    expect(await admit(question({ mode, bodyHashes: ['key1:other'] }))).toEqual({ kind: 'reused' });
  });

  test('a look at an event that nobody knows passes and leaves no idempotency key', async () => {
    expect(await admit(question({ mode: 'look' }))).toEqual({ kind: 'pass' });
    expect(await fixture.server.call('EXISTS', IDEMPOTENCY_KEY)).toBe(0);
  });

  test('a look at an event with the very same body passes', async () => {
    await admit(question());

    expect(await admit(question({ mode: 'look' }))).toEqual({ kind: 'pass' });
  });

  test('after a change of keys the body is known by the hash of the old key', async () => {
    await admit(question({ bodyHashes: ['old:body'] }));
    await add();

    expect(await admit(question({ bodyHashes: ['new:body', 'old:body'] }))).toMatchObject({
      kind: 'duplicate',
    });
    expect(await admit(question({ bodyHashes: ['new:other', 'old:other'] }))).toEqual({ kind: 'reused' });
  });

  test.each([
    ['begins', 'key1:body2'],
    ['ends', 'a-key1:body'],
  ])('a hash that only %s like the stored one is another body', async (_how, hash) => {
    await admit(question({ bodyHashes: ['key1:body'] }));

    expect(await admit(question({ bodyHashes: [hash] }))).toEqual({ kind: 'reused' });
  });

  test('two libraries may use the same webhook-id', async () => {
    await admit(question());
    await add();

    const other = question({ library: 'lakeside', bodyHashes: ['key1:other'] });

    expect(await admit(other)).toMatchObject({ kind: 'new', add: true });
    expect(await admit(other)).toMatchObject({ kind: 'duplicate', add: true });
  });

  test('an event lost between admission and queue is added by its redelivery', async () => {
    await admit(question());

    expect(await admit(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: true });
  });

  test('an event that was lost and comes again keeps its time, and has the priority of its place', async () => {
    await admit(question());
    const accepted = await fixture.redis.zscore('{passport}:backlog:riverside', 'evt_1');
    await admit(event(2));
    await admit(event(3));

    expect(entered(await admit(question())).priority).toBe(3);
    expect(await fixture.redis.zscore('{passport}:backlog:riverside', 'evt_1')).toBe(accepted);
  });

  test('an event that ended and was removed by retention does not run again', async () => {
    await admit(question());
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z', {
      used: 'copies',
    });

    expect(await admit(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
    expect(await admit(question({ bodyHashes: ['key1:other'] }))).toEqual({ kind: 'reused' });
  });

  test('a failed job that outlives its idempotency key is not added a second time', async () => {
    await admit(question());
    await add();
    await fixture.mover.fail(await fixture.mover.take());
    await fixture.server.call('DEL', IDEMPOTENCY_KEY, '{passport}:coalescing:riverside:key1:scan');

    expect(await admit(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('a second add of an event leaves the first job as it is', async () => {
    await add({ branch: 'MAIN' });
    await add({ branch: 'EAST' });

    const jobs = await fixture.queue.getJobs(['prioritized']);
    expect(jobs.map(({ data }) => data.branch)).toEqual(['MAIN']);
  });

  test('the priority of an event is the number of its library’s unfinished ones, itself included', async () => {
    const priorities: number[] = [];
    for (let n = 1; n <= 3; n += 1) priorities.push(entered(await admit(event(n))).priority);
    const elsewhere = entered(await admit(event(9, { library: 'lakeside' }))).priority;
    await openLedger(fixture.redis).settle('riverside', 'evt_2', 'COPIED', '2026-11-25T12:00:00.000Z', {
      used: 'copies',
    });
    const afterAnEnd = entered(await admit(event(4))).priority;

    expect({ priorities, elsewhere, afterAnEnd }).toEqual({
      priorities: [1, 2, 3],
      elsewhere: 1,
      afterAnEnd: 3,
    });
  });
});

describe('a key with a value that is not ours', () => {
  const garbage: readonly (readonly [string, string[]])[] = [
    ['an idempotency key without content', ['SET', IDEMPOTENCY_KEY, 'garbage']],
    ['an idempotency key that is a list', ['RPUSH', IDEMPOTENCY_KEY, 'x']],
    ['a coalescing key that is a hash', ['HSET', '{passport}:coalescing:riverside:key1:scan', 'a', 'b']],
    ['a job that is text', ['SET', '{passport}:scans:riverside.evt_1', 'x']],
  ];

  test.each(garbage)('(%s) delays its own event alone', async (_what, command) => {
    await fixture.server.call(...command);

    const answers = await buildAdmission(fixture.redis)([event(2), question(), event(3)]);

    const [before, own, after] = answers.map(({ kind }) => kind);
    expect({ before, after }).toEqual({ before: 'new', after: 'new' });
    // BullMQ leaves an id alone that exists, whatever it is: such an event is not new, and nobody can work on it.
    expect(['broken', 'duplicate']).toContain(own);
  });

  test('as a rate is written anew', async () => {
    await fixture.server.call('SET', '{passport}:rate:riverside', 'garbage');

    expect((await admit(question())).kind).toBe('new');
  });
});

describe('trouble of Redis itself', () => {
  test('is reported for the whole round, and not as one broken event', async () => {
    await fixture.server.call('CONFIG', 'SET', 'maxmemory', '1');
    const refused = admit(question());
    await expect(refused).rejects.toThrow('OOM');
    await fixture.server.call('CONFIG', 'SET', 'maxmemory', '0');
  });
});
