import { describe, expect, test } from '@jest/globals';
import type { AdmissionAnswer } from '@passport/queue/admission';
import { openLedger } from '@passport/queue/ledger';
import { addScans } from '@passport/queue/scans';
import { entered, event, jobData, useQueueFixture, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture();
const admit = openAdmission(fixture);

const BACKLOG = '{passport}:backlog:riverside';
const small = { eventsPerSecond: 50, burst: 200, backlog: 2, remembered: 100_000 };
const request = (n: number, change: Parameters<typeof event>[1] = {}): Promise<AdmissionAnswer> =>
  admit(event(n, { limits: small, ...change }));

async function accept(n: number): Promise<void> {
  await request(n);
  await addScans(fixture.queue, [{ job: jobData({ event_id: `evt_${n}` }), priority: n }]);
}

describe('the backlog of a library', () => {
  test('beyond its size an event is refused, and not remembered', async () => {
    await accept(1);
    await accept(2);

    expect(await request(3)).toEqual({ kind: 'backlog_full' });
    expect(await fixture.server.call('EXISTS', '{passport}:idempotency:riverside.evt_3')).toBe(0);
    expect(await request(3, { library: 'lakeside' })).toMatchObject({ kind: 'new' });
  });

  test('redeliveries and double scans need no space', async () => {
    await accept(1);
    await accept(2);

    expect(await request(1)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1' });
    expect(await request(4, { scanHash: 'key1:scan2' })).toMatchObject({
      kind: 'coalesced',
      eventId: 'evt_2',
    });
  });

  test('an event that ends makes space', async () => {
    await accept(1);
    await accept(2);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'NOT_FOUND', '2026-11-25T12:00:00.000Z', {
      used: 'misses',
    });

    expect(entered(await request(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('a finished job that was never taken off is dropped when the backlog is full', async () => {
    await accept(1);
    await accept(2);
    await fixture.mover.complete(await fixture.mover.take());

    expect(entered(await request(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('an entry whose job was removed long ago is dropped when the backlog is full', async () => {
    await fixture.server.call('ZADD', BACKLOG, String((await fixture.redisNow()) - 61_000), 'evt_0');
    await accept(2);

    expect(entered(await request(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('an event between admission and queue keeps its place', async () => {
    await request(1);
    await request(2);

    expect(await request(3)).toEqual({ kind: 'backlog_full' });
    expect(await fixture.server.call('ZCARD', BACKLOG)).toBe(2);
  });
});
