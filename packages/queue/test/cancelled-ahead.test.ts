import { describe, expect, test } from '@jest/globals';
import { jobIdOf } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { addScans, cancelEvent, isCancelledAhead } from '@passport/queue/scans';
import { entered, event, jobData, openAdmission, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
const KEY = '{passport}:cancelled:riverside';
const MINUTE_MS = 60_000;

const cancel = (eventId = 'evt_1', library = 'riverside') =>
  cancelEvent(fixture.redis, fixture.queue, library, eventId);
const openAdmit = () => openAdmission(fixture);
const leftMs = async (eventId = 'evt_1'): Promise<number> =>
  Number(await fixture.redis.zscore(KEY, eventId)) - (await fixture.redisNow());

describe('an event that was cancelled before it came', () => {
  test('is admitted as cancelled, and so is a redelivery whose job was lost', async () => {
    const admit = openAdmit();
    expect(await cancel()).toBe('ahead');
    const first = entered(await admit(event(1)));
    expect(first).toMatchObject({ kind: 'new', eventId: 'evt_1', add: true, isCancelled: true });
    // The receiver died before it was added.
    expect(entered(await admit(event(1)))).toMatchObject({ kind: 'duplicate', add: true, isCancelled: true });
    await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
    expect(entered(await admit(event(1)))).toMatchObject({ kind: 'duplicate', add: false });
  });

  test('is remembered for as long as it may be delivered, for the first time or again', async () => {
    await cancel();
    expect(await leftMs()).toBeGreaterThan(79 * 60 * MINUTE_MS);
    await openAdmit()(event(1));
    expect(await leftMs()).toBeGreaterThan(79 * 60 * MINUTE_MS);
    // A cancel that is repeated makes it no shorter.
    await cancel();
    expect(await leftMs()).toBeGreaterThan(79 * 60 * MINUTE_MS);
    const ttl = await fixture.redis.pttl(KEY);
    expect(ttl).toBeGreaterThan(79 * 60 * MINUTE_MS);
    expect(ttl).toBeLessThanOrEqual(80 * 60 * MINUTE_MS);
  });

  test('is an event as any other once that time is over', async () => {
    await cancel();
    await fixture.redis.zadd(KEY, (await fixture.redisNow()) - 1, 'evt_1');
    expect(entered(await openAdmit()(event(1))).isCancelled).toBeUndefined();
  });

  test('cancels no other event: of another id, or another library', async () => {
    await cancel('evt_1', 'lakeside');
    await cancel('evt_2');
    expect(entered(await openAdmit()(event(1))).isCancelled).toBeUndefined();
    expect(await isCancelledAhead(fixture.redis, 'riverside', 'evt_2')).toBe(true);
    expect(await isCancelledAhead(fixture.redis, 'riverside', 'evt_1')).toBe(false);
  });

  test('is coalesced with no scan of the same card, and none with it', async () => {
    const admit = openAdmit();
    const sameCard = { scanHash: event(9).scanHash };
    await cancel('evt_1');
    // The desk has scanned the card again, and that came first.
    const again = entered(await admit(event(2, sameCard)));
    await addScans(fixture.queue, [{ job: jobData({ event_id: 'evt_2' }), priority: 1 }]);
    expect(entered(await admit(event(1, sameCard)))).toMatchObject({ kind: 'new', isCancelled: true });
    expect(again.isCancelled).toBeUndefined();
    await fixture.clear();
    await cancel('evt_1');
    await admit(event(1, sameCard));
    const later = entered(await admit(event(3, sameCard)));
    expect([later.kind, later.eventId]).toEqual(['new', 'evt_3']);
  });

  test('takes from the backlog as any other, and is refused where that is full', async () => {
    const admit = openAdmit();
    const limits = { eventsPerSecond: 50, burst: 200, backlog: 1, remembered: 100_000 };
    await cancel('evt_2');
    const [, answer] = [await admit(event(1, { limits })), await admit(event(2, { limits }))];
    expect(answer).toEqual({ kind: 'backlog_full' });
  });
});

test('no more than 10,000 of a library are remembered: beyond it a cancel is not taken', async () => {
  const now = await fixture.redisNow();
  const rows = Array.from({ length: 10_000 }, (_, n) => [now + MINUTE_MS, `evt_old_${n}`] as const);
  await fixture.redis.zadd(KEY, ...rows.flat());
  expect(await cancel()).toBe('full');
  expect(await cancel('evt_1', 'lakeside')).toBe('ahead');
  expect(await cancel('evt_old_7')).toBe('ahead');
  expect(entered(await openAdmit()(event(1))).isCancelled).toBeUndefined();
  // Those whose time is over are dropped first.
  await fixture.redis.zadd(KEY, now - 1, 'evt_old_8');
  expect(await cancel('evt_new')).toBe('ahead');
  expect(await fixture.redis.zcard(KEY)).toBe(10_000);
});

test('what has ended and is kept no longer leaves nothing behind when it is cancelled', async () => {
  const admit = openAdmit();
  await admit(event(1));
  const ledger = openLedger(fixture.redis);
  await ledger.settle('riverside', 'evt_1', 'COPIED', new Date().toISOString(), { used: 'none' });
  expect(await cancel()).toBeNull();
  expect(await fixture.redis.exists(KEY)).toBe(0);
  expect(await (await fixture.queue.getJob(jobIdOf('riverside', 'evt_1')))?.getState()).toBeUndefined();
});
