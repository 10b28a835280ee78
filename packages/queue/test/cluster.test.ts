import { describe, expect, test } from '@jest/globals';
import { openReceipts, readReceipts } from '@passport/queue/copies';
import { noteDelayed, promoteDelayed } from '@passport/queue/delays';
import { retryByPerson } from '@passport/queue/events';
import { openLedger } from '@passport/queue/ledger';
import { openPatronLocks } from '@passport/queue/locks';
import { readRedis } from '@passport/queue/metrics';
import { buildItemSweep, noteItem } from '@passport/queue/retention';
import { addScans, readEventState, readQueue } from '@passport/queue/scans';
import { NOON, entered, event, jobData, useQueueFixture, question, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture({ cluster: true });

const JOB = 'riverside.evt_1';
const add = (ids: readonly string[]): Promise<void> =>
  addScans(
    fixture.queue,
    ids.map((event_id) => ({ job: jobData({ event_id }), priority: 1 })),
  );

describe('on a Redis cluster', () => {
  test('admission answers as on one Redis: new, duplicate, reused, coalesced, rate, backlog', async () => {
    const admit = openAdmission(fixture);
    const kinds: string[] = [];
    const request = async (...args: Parameters<typeof question>) =>
      kinds.push((await admit(question(...args))).kind);
    await request();
    await request();
    await request({ bodyHashes: ['key1:other'] });
    await request({ eventId: 'evt_2', bodyHashes: ['key1:body2'] });
    await request({
      eventId: 'evt_3',
      scanHash: 'key1:s3',
      limits: { eventsPerSecond: 1, burst: 1, backlog: 9, remembered: 100_000 },
    });
    await request({
      eventId: 'evt_4',
      scanHash: 'key1:s4',
      limits: { eventsPerSecond: 50, burst: 200, backlog: 1, remembered: 100_000 },
    });

    expect(kinds).toEqual(['new', 'duplicate', 'reused', 'coalesced', 'rate_limited', 'backlog_full']);
  });

  test('fifty events at once are all added, each once', async () => {
    const admit = openAdmission(fixture);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => admit(event(n))));
    const ids = answers.map((answer) => entered(answer).eventId);
    await add(ids);
    await add(ids);

    expect(await fixture.queue.getJobCountByTypes('prioritized')).toBe(50);
  });

  test('the ledger admits, settles and counts', async () => {
    const ledger = openLedger(fixture.redis);
    await openAdmission(fixture)(event(1));
    await ledger.reserveQuota('riverside', 'evt_1', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });
    const full = await ledger.reserveQuota('riverside', 'evt_2', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });
    await ledger.settle('riverside', 'evt_1', 'NOT_ELIGIBLE', '2026-11-25T12:00:00.000Z', {
      used: 'verdicts',
    });
    const free = await ledger.reserveQuota('riverside', 'evt_2', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });

    expect([full.kind, free.kind]).toEqual(['limit_reached', 'reserved']);
    expect(await fixture.redis.zcard('{passport}:backlog:riverside')).toBe(0);
  });

  test('a failed event is swept, retried, delayed and promoted', async () => {
    await add(['evt_1']);
    await fixture.mover.fail(await fixture.mover.take());
    await noteItem(fixture.redis, JOB, NOON);
    expect(await buildItemSweep(fixture.redis)(NOON)).toBe(1);
    expect(await retryByPerson(fixture.queue, openLedger(fixture.redis), JOB, NOON)).toEqual({
      kind: 'retried',
    });

    const job = await fixture.mover.take();
    await noteDelayed(fixture.redis, 'midland', JOB);
    await fixture.mover.delay(job, (await fixture.redisNow()) + 60_000);
    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(1);

    const state = await readEventState(fixture.redis, 'riverside', 'evt_1', (id) => id);
    expect(state).toMatchObject({ state: 'queued', seq: 3 });
    const figures = await readQueue(fixture.redis, fixture.queue, ['riverside'], NOON + 4_000);
    expect(figures).toMatchObject({ jobs: { queued: 1 }, oldestSeconds: 4 });
    expect(await readRedis(fixture.redis)).toMatchObject({ policy: 'noeviction', replicas: 0 });
  });

  test('receipts and patron locks are kept', async () => {
    const receipt = {
      at: '',
      home: 'midland',
      lending: 'riverside',
      homeKey: 'midland:1',
      fields: [],
      eventId: 'e',
    };
    await openReceipts(fixture.redis).append(receipt, NOON, NOON);
    const patronLocks = openPatronLocks(fixture.redis);
    const taken = [
      await patronLocks.take('name', { event: 'riverside.evt_1', run: 'a' }, 10_000),
      await patronLocks.take('name', { event: 'riverside.evt_2', run: 'b' }, 10_000),
    ];

    expect((await readReceipts(fixture.redis).next()).value).toEqual(receipt);
    expect(taken.map((release) => release === null)).toEqual([false, true]);
  });
});
