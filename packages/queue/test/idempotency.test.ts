import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { addScans, buildAdmission, openLedger } from '@passport/queue';
import {
  type QueueFixture,
  entered,
  event,
  jobData,
  openQueueFixture,
  question,
  openGate,
  type OneGate,
} from './queue-fixture.ts';

let fixture: QueueFixture;
let gate: OneGate;
beforeAll(async () => {
  fixture = await openQueueFixture();
  gate = openGate(fixture.redis);
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const GUARD = '{passport}:guard:riverside.evt_1';
const add = (change: Parameters<typeof jobData>[0] = {}): Promise<void> =>
  addScans(fixture.queue, [{ job: jobData(change), priority: 1 }]);

describe('the guard of an event', () => {
  test('a first delivery is new, is to be added, and is remembered for 80 hours', async () => {
    const before = await fixture.redisNow();

    const answer = entered(await gate(question()));

    expect(answer).toMatchObject({ kind: 'new', eventId: 'evt_1', add: true, priority: 1 });
    expect(answer.nowMs).toBeGreaterThanOrEqual(before);
    expect(answer.nowMs).toBeLessThanOrEqual(await fixture.redisNow());
    expect(Number(await fixture.server.ask('TTL', GUARD))).toBeGreaterThan(80 * 3600 - 5);
  });

  test('the same delivery again is a duplicate that nobody adds', async () => {
    await gate(question());
    await add();

    expect(await gate(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test.each(['look', 'take'] as const)('the same id with another body is a reuse (%s)', async (mode) => {
    await gate(question());
    await add();

    expect(await gate(question({ mode, bodyHashes: ['key1:other'] }))).toEqual({ kind: 'reused' });
  });

  test('a look at an event that nobody knows passes and leaves no guard', async () => {
    expect(await gate(question({ mode: 'look' }))).toEqual({ kind: 'pass' });
    expect(await fixture.server.ask('EXISTS', GUARD)).toBe(0);
  });

  test('a look at an event with the very same body passes', async () => {
    await gate(question());

    expect(await gate(question({ mode: 'look' }))).toEqual({ kind: 'pass' });
  });

  test('after a change of keys the body is known by the hash of the old key', async () => {
    await gate(question({ bodyHashes: ['old:body'] }));
    await add();

    expect(await gate(question({ bodyHashes: ['new:body', 'old:body'] }))).toMatchObject({
      kind: 'duplicate',
    });
    expect(await gate(question({ bodyHashes: ['new:other', 'old:other'] }))).toEqual({ kind: 'reused' });
  });

  test.each([
    ['begins', 'key1:body2'],
    ['ends', 'a-key1:body'],
  ])('a hash that only %s like the stored one is another body', async (_how, hash) => {
    await gate(question({ bodyHashes: ['key1:body'] }));

    expect(await gate(question({ bodyHashes: [hash] }))).toEqual({ kind: 'reused' });
  });

  test('two libraries may use the same webhook-id', async () => {
    await gate(question());
    await add();

    const other = question({ library: 'lakeside', bodyHashes: ['key1:other'] });

    expect(await gate(other)).toMatchObject({ kind: 'new', add: true });
    expect(await gate(other)).toMatchObject({ kind: 'duplicate', add: true });
  });

  test('an event lost between gate and queue is added by its redelivery', async () => {
    await gate(question());

    expect(await gate(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: true });
  });

  test('an event that was lost and comes again keeps its time, and has the priority of its turn', async () => {
    await gate(question());
    const accepted = await fixture.redis.zscore('{passport}:backlog:riverside', 'evt_1');
    await gate(event(2));
    await gate(event(3));

    expect(entered(await gate(question())).priority).toBe(3);
    expect(await fixture.redis.zscore('{passport}:backlog:riverside', 'evt_1')).toBe(accepted);
  });

  test('an event that ended and was removed by retention does not run again', async () => {
    await gate(question());
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z');

    expect(await gate(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
    expect(await gate(question({ bodyHashes: ['key1:other'] }))).toEqual({ kind: 'reused' });
  });

  test('a failed job that outlives its guard is not added a second time', async () => {
    await gate(question());
    await add();
    await fixture.hand.fail(await fixture.hand.take());
    await fixture.server.ask('DEL', GUARD, '{passport}:join:riverside:key1:scan');

    expect(await gate(question())).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('a second add of an event leaves the first job as it is', async () => {
    await add({ branch: 'MAIN' });
    await add({ branch: 'EAST' });

    const jobs = await fixture.queue.getJobs(['prioritized']);
    expect(jobs.map(({ data }) => data.branch)).toEqual(['MAIN']);
  });

  test('the priority of an event is the number of its library’s unfinished ones, itself included', async () => {
    const priorities: number[] = [];
    for (let n = 1; n <= 3; n += 1) priorities.push(entered(await gate(event(n))).priority);
    const elsewhere = entered(await gate(event(9, { library: 'lakeside' }))).priority;
    await openLedger(fixture.redis).settle('riverside', 'evt_2', 'COPIED', '2026-11-25T12:00:00.000Z');
    const afterAnEnd = entered(await gate(event(4))).priority;

    expect({ priorities, elsewhere, afterAnEnd }).toEqual({
      priorities: [1, 2, 3],
      elsewhere: 1,
      afterAnEnd: 3,
    });
  });
});

describe('a key that holds what is not ours', () => {
  const garbage: readonly (readonly [string, string[]])[] = [
    ['a guard that says nothing', ['SET', GUARD, 'garbage']],
    ['a guard that is a list', ['RPUSH', GUARD, 'x']],
    ['a join that is a hash', ['HSET', '{passport}:join:riverside:key1:scan', 'a', 'b']],
    ['a job that is text', ['SET', '{passport}:scans:riverside.evt_1', 'x']],
  ];

  test.each(garbage)('(%s) holds up its own event alone', async (_what, command) => {
    await fixture.server.ask(...command);

    const answers = await buildAdmission(fixture.redis)([event(2), question(), event(3)]);

    const [before, own, after] = answers.map(({ kind }) => kind);
    expect({ before, after }).toEqual({ before: 'new', after: 'new' });
    // BullMQ leaves an id alone that exists, whatever it is: such an event is not new, and nobody can work on it.
    expect(['broken', 'duplicate']).toContain(own);
  });

  test('as a rate is written anew', async () => {
    await fixture.server.ask('SET', '{passport}:rate:riverside', 'garbage');

    expect((await gate(question())).kind).toBe('new');
  });
});

describe('trouble of Redis itself', () => {
  test('is told of the whole round, and not as of one broken event', async () => {
    await fixture.server.ask('CONFIG', 'SET', 'maxmemory', '1');
    const refused = gate(question());
    await expect(refused).rejects.toThrow('OOM');
    await fixture.server.ask('CONFIG', 'SET', 'maxmemory', '0');
  });
});
