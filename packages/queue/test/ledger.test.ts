import { beforeAll, describe, expect, test } from '@jest/globals';
import { LONGEST_KEPT_DAYS } from '@passport/contract';
import { type Ledger, openLedger, takeRefreshQuota } from '@passport/queue/ledger';
import { readOutcomeCounts } from '@passport/queue/statistics';
import { NOON, event, useQueueFixture, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture();
let ledger: Ledger;
beforeAll(async () => {
  ledger = openLedger(fixture.redis);
});

const HOUR_MS = 3_600_000;
const limits = { copiesPerHour: 2, missesPerHour: 3, verdictsPerHour: 9 };
const at = (time: string): string => `2026-11-25T${time}.000Z`;
const accept = (n: number) => openAdmission(fixture)(event(n));

describe('T-21 the hourly limits', () => {
  test('events start until the copies of the hour are taken, then wait, with the time that is left', async () => {
    expect(await ledger.reserveQuota('riverside', 'evt_1', limits)).toEqual({ kind: 'reserved', left: 1 });
    expect(await ledger.reserveQuota('riverside', 'evt_2', limits)).toEqual({ kind: 'reserved', left: 0 });

    const third = await ledger.reserveQuota('riverside', 'evt_3', limits);

    expect(third).toEqual({ kind: 'limit_reached', limit: 'copies', freeInMs: expect.any(Number) });
    const { freeInMs } = third as Extract<typeof third, { kind: 'limit_reached' }>;
    expect(freeInMs).toBeGreaterThan(HOUR_MS - 10_000);
    expect(freeInMs).toBeLessThanOrEqual(HOUR_MS);
  });

  test('misses are counted on their own: an enumeration stops at their limit', async () => {
    for (const id of ['evt_1', 'evt_2', 'evt_3']) {
      await ledger.reserveQuota('riverside', id, limits);
      await ledger.settle('riverside', id, 'NOT_FOUND', at('12:00:00'), { used: 'misses' });
    }

    expect(await ledger.reserveQuota('riverside', 'evt_4', limits)).toMatchObject({
      kind: 'limit_reached',
      limit: 'misses',
    });
  });

  test('many at once cannot pass a limit together', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ledger.reserveQuota('riverside', `evt_${n}`, limits)),
    );

    expect(answers.filter(({ kind }) => kind === 'reserved')).toHaveLength(2);
  });

  test('an event with a reservation runs again without another', async () => {
    await ledger.reserveQuota('riverside', 'evt_1', limits);
    await ledger.reserveQuota('riverside', 'evt_2', limits);

    expect(await ledger.reserveQuota('riverside', 'evt_1', limits)).toMatchObject({ kind: 'reserved' });
  });

  test('another library is not touched', async () => {
    await ledger.reserveQuota('riverside', 'evt_1', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });

    expect(await ledger.reserveQuota('lakeside', 'evt_1', limits)).toMatchObject({ kind: 'reserved' });
  });

  test.each([
    ['a copy keeps its place among the copies only', 'COPIED', 'misses'],
    ['a miss keeps its place among the misses only', 'NOT_FOUND', 'copies'],
  ] as const)('%s', async (_name, outcome, free) => {
    await ledger.reserveQuota('riverside', 'evt_1', limits);
    const used = outcome === 'COPIED' ? 'copies' : 'misses';
    await ledger.settle('riverside', 'evt_1', outcome, at('12:00:00'), { used });

    const taken = { copies: outcome === 'COPIED' ? 1 : 0, misses: outcome === 'NOT_FOUND' ? 1 : 0 };
    expect(await fixture.redis.zcard('{passport}:hour:copies:riverside')).toBe(taken.copies);
    expect(await fixture.redis.zcard('{passport}:hour:misses:riverside')).toBe(taken.misses);
    expect(taken[free]).toBe(0);
  });

  test('a decision keeps its quota among the decisions only', async () => {
    const few = { copiesPerHour: 1, missesPerHour: 1, verdictsPerHour: 1 };
    await ledger.reserveQuota('riverside', 'evt_1', few);
    await ledger.settle('riverside', 'evt_1', 'NOT_ELIGIBLE', at('12:00:00'), { used: 'verdicts' });

    expect(await ledger.reserveQuota('riverside', 'evt_2', few)).toMatchObject({
      kind: 'limit_reached',
      limit: 'verdicts',
    });
    expect(await fixture.redis.zcard('{passport}:hour:copies:riverside')).toBe(0);
    expect(await fixture.redis.zcard('{passport}:hour:misses:riverside')).toBe(0);
  });

  test.each([
    ['ALREADY_LOCAL', 'verdicts'],
    ['NOT_ELIGIBLE', 'verdicts'],
    ['HOME_UNREACHABLE', 'none'],
  ] as const)(
    'an event that neither copied nor missed (%s) gives both places back',
    async (outcome, used) => {
      await ledger.reserveQuota('riverside', 'evt_1', {
        copiesPerHour: 1,
        missesPerHour: 1,
        verdictsPerHour: 9,
      });
      await ledger.settle('riverside', 'evt_1', outcome, at('12:00:00'), { used });

      expect(
        await ledger.reserveQuota('riverside', 'evt_2', {
          copiesPerHour: 1,
          missesPerHour: 1,
          verdictsPerHour: 9,
        }),
      ).toMatchObject({ kind: 'reserved' });
    },
  );

  test('an event that waits gives its places back', async () => {
    await ledger.reserveQuota('riverside', 'evt_1', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });
    await ledger.releaseQuota('riverside', 'evt_1');

    expect(
      await ledger.reserveQuota('riverside', 'evt_2', {
        copiesPerHour: 1,
        missesPerHour: 1,
        verdictsPerHour: 9,
      }),
    ).toMatchObject({
      kind: 'reserved',
    });
  });

  test('a place is free again an hour after it was taken', async () => {
    const longAgo = (await fixture.redisNow()) - HOUR_MS - 1;
    await fixture.redis.zadd('{passport}:hour:copies:riverside', longAgo, 'evt_0');

    const answer = await ledger.reserveQuota('riverside', 'evt_1', {
      copiesPerHour: 1,
      missesPerHour: 1,
      verdictsPerHour: 9,
    });

    expect(answer).toMatchObject({ kind: 'reserved' });
  });

  test('what has passed the hour counts for nothing, also where nobody has taken it off', async () => {
    const ample = { copiesPerHour: 1_000, missesPerHour: 1_000, verdictsPerHour: 1_000 };
    const longAgo = (await fixture.redisNow()) - HOUR_MS - 1;
    const copies = '{passport}:hour:copies:riverside';
    for (let n = 0; n < 601; n += 1) await fixture.redis.zadd(copies, longAgo, `old_${n}`);

    expect(await ledger.reserveQuota('riverside', 'evt_1', ample)).toEqual({ kind: 'reserved', left: 999 });
    expect(await fixture.redis.zcard(copies)).toBe(1);
  });

  test('what has passed the hour goes under a limit that is far away as well, and in pieces', async () => {
    const most = { copiesPerHour: 10_000_000, missesPerHour: 10_000_000, verdictsPerHour: 10_000_000 };
    const longAgo = (await fixture.redisNow()) - HOUR_MS - 1;
    const copies = '{passport}:hour:copies:riverside';
    const old = Array.from({ length: 2_500 }, (_, n) => [longAgo, `old_${n}`]);
    await fixture.redis.zadd(copies, ...old.flat());

    const first = await ledger.reserveQuota('riverside', 'evt_1', most);
    expect(first).toEqual({ kind: 'reserved', left: 9_999_999 });
    expect(await fixture.redis.zcard(copies)).toBe(1_501);
    await ledger.reserveQuota('riverside', 'evt_2', most);
    expect(await fixture.redis.zcard(copies)).toBe(502);
  });

  test('what has passed the hour and has not gone yet is no place that is taken', async () => {
    const now = await fixture.redisNow();
    const copies = '{passport}:hour:copies:riverside';
    const old = Array.from({ length: 1_500 }, (_, n) => [now - HOUR_MS - 1, `old_${n}`]);
    await fixture.redis.zadd(copies, ...old.flat(), now - 1_000, 'evt_0', now - HOUR_MS - 1, 'evt_9');

    expect(await ledger.reserveQuota('riverside', 'evt_1', limits)).toEqual({ kind: 'reserved', left: 0 });
    await fixture.redis.zadd(copies, ...old.flat(), now - HOUR_MS - 1, 'evt_9');
    const waits = await ledger.reserveQuota('riverside', 'evt_9', limits);
    const { freeInMs } = waits as Extract<typeof waits, { kind: 'limit_reached' }>;
    expect(freeInMs).toBeGreaterThan(HOUR_MS - 60_000);
  });

  test('an event that runs again within the hour keeps the place since when it has it', async () => {
    const copies = '{passport}:hour:copies:riverside';
    const since = (await fixture.redisNow()) - HOUR_MS / 2;
    await fixture.redis.zadd(copies, since, 'evt_1');
    await ledger.reserveQuota('riverside', 'evt_1', limits);

    expect(await fixture.redis.zscore(copies, 'evt_1')).toBe(String(since));
  });

  test('an event whose reservation has passed the hour takes another', async () => {
    const ample = { copiesPerHour: 1_000, missesPerHour: 1_000, verdictsPerHour: 1_000 };
    const copies = '{passport}:hour:copies:riverside';
    const now = await fixture.redisNow();
    await fixture.redis.zadd(copies, now - HOUR_MS - 1, 'evt_1');
    await ledger.reserveQuota('riverside', 'evt_1', ample);

    expect(Number(await fixture.redis.zscore(copies, 'evt_1'))).toBeGreaterThanOrEqual(now);
    expect(await fixture.redis.pttl(copies)).toBeGreaterThan(HOUR_MS - 10_000);
  });

  test('a clock that was set back makes no hour longer than an hour', async () => {
    const beforeTheStep = (await fixture.redisNow()) + 5 * HOUR_MS;
    await fixture.redis.zadd('{passport}:hour:copies:riverside', beforeTheStep, 'evt_0');

    const one = { copiesPerHour: 1, missesPerHour: 1, verdictsPerHour: 9 };
    const answer = await ledger.reserveQuota('riverside', 'evt_1', one);

    const { freeInMs } = answer as Extract<typeof answer, { kind: 'limit_reached' }>;
    expect(freeInMs).toBeGreaterThan(HOUR_MS - 10_000);
    expect(freeInMs).toBeLessThanOrEqual(HOUR_MS);
  });

  test('a limit of none stops everything', async () => {
    expect(
      await ledger.reserveQuota('riverside', 'evt_1', {
        copiesPerHour: 0,
        missesPerHour: 5,
        verdictsPerHour: 9,
      }),
    ).toEqual({
      kind: 'limit_reached',
      limit: 'copies',
      freeInMs: HOUR_MS,
    });
  });
});

describe('what an ended event leaves behind', () => {
  test('its outcome is counted once, under its library and hour', async () => {
    await accept(1);
    await ledger.settle('riverside', 'evt_1', 'COPIED', at('11:59:59'), { used: 'copies' });
    await ledger.settle('riverside', 'evt_1', 'COPIED', at('12:00:00'), { used: 'copies' });

    expect(await readOutcomeCounts(fixture.redis, NOON)).toEqual([
      { hour: at('11:00:00'), library: 'riverside', outcome: 'COPIED', count: 1 },
    ]);
  });

  test('outcomes of the last day are read oldest hour first, older ones not at all', async () => {
    for (const n of [1, 2, 3, 4]) await accept(n);
    await ledger.settle('riverside', 'evt_1', 'NOT_FOUND', at('12:30:00'), { used: 'misses' });
    await ledger.settle('riverside', 'evt_2', 'COPIED', at('09:30:00'), { used: 'copies' });
    await ledger.settle('riverside', 'evt_3', 'COPIED', at('09:40:00'), { used: 'copies' });
    await ledger.settle('riverside', 'evt_4', 'COPIED', '2026-11-24T12:59:59.000Z', { used: 'copies' });

    expect(await readOutcomeCounts(fixture.redis, NOON + 3_500_000)).toEqual([
      { hour: at('09:00:00'), library: 'riverside', outcome: 'COPIED', count: 2 },
      { hour: at('12:00:00'), library: 'riverside', outcome: 'NOT_FOUND', count: 1 },
    ]);
  });

  test('the counts of an hour go after a day', async () => {
    await accept(1);
    await ledger.settle('riverside', 'evt_1', 'COPIED', at('12:00:00'), { used: 'copies' });

    const life = Number(await fixture.server.call('TTL', '{passport}:outcomes:2026-11-25T12'));
    expect(life).toBeGreaterThan(24 * 3600);
    expect(life).toBeLessThanOrEqual(26 * 3600);
  });

  test('the set of those that are kept outlives the last one of an hour', async () => {
    const kept = '{passport}:kept:finished:riverside';
    for (const [n, time] of ['12:00:00', '13:00:00'].entries()) {
      await accept(n);
      await ledger.settle('riverside', `evt_${n}`, 'COPIED', at(time), { used: 'copies' });

      expect(await fixture.redis.ttl(kept)).toBeGreaterThan(LONGEST_KEPT_DAYS * 24 * 3600 + 3500);
      await fixture.redis.expire(kept, 10);
    }
  });

  test('the set of those that are kept has a life also where it begins anew within the hour', async () => {
    const kept = '{passport}:kept:failed:riverside';
    for (const n of [1, 2]) {
      await accept(n);
      await ledger.settle('riverside', `evt_${n}`, 'TOO_LATE', at('12:00:00'), { used: 'none' });
      expect(await fixture.redis.ttl(kept)).toBeGreaterThan(0);
      await fixture.redis.del(kept); // as a retry leaves it, which takes off the only one
    }
  });

  test('its idempotency key keeps its time', async () => {
    await accept(1);
    await fixture.server.call('EXPIRE', '{passport}:idempotency:riverside.evt_1', '1000');
    await ledger.settle('riverside', 'evt_1', 'COPIED', at('12:00:00'), { used: 'copies' });

    const life = Number(await fixture.server.call('TTL', '{passport}:idempotency:riverside.evt_1'));
    expect(life).toBeGreaterThan(990);
    expect(life).toBeLessThanOrEqual(1000);
  });
});

test('a copy takes one place of the hour for its refreshes, however often it is named', async () => {
  const take = (name: string) => takeRefreshQuota(fixture.redis, 'riverside', name, 2);
  expect(await take('one')).toBe(0);
  expect(await take('one')).toBe(0);
  expect(await take('other')).toBe(0);
  expect(await take('one')).toBe(0);
  expect(await take('third')).toBeGreaterThan(3_500_000);
});
