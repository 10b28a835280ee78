import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type AdmissionAnswer, addScans, openLedger } from '@passport/queue';
import {
  type QueueFixture,
  entered,
  event,
  jobData,
  openQueueFixture,
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

const BACKLOG = '{passport}:backlog:riverside';
const small = { eventsPerSecond: 50, burst: 200, backlog: 2 };
const ask = (n: number, change: Parameters<typeof event>[1] = {}): Promise<AdmissionAnswer> =>
  gate(event(n, { limits: small, ...change }));

async function accept(n: number): Promise<void> {
  await ask(n);
  await addScans(fixture.queue, [{ job: jobData({ event_id: `evt_${n}` }), priority: n }]);
}

describe('the backlog of a library', () => {
  test('beyond its size an event is refused, and not remembered', async () => {
    await accept(1);
    await accept(2);

    expect(await ask(3)).toEqual({ kind: 'backlog_full' });
    expect(await fixture.server.ask('EXISTS', '{passport}:guard:riverside.evt_3')).toBe(0);
    expect(await ask(3, { library: 'lakeside' })).toMatchObject({ kind: 'new' });
  });

  test('redeliveries and double scans need no room', async () => {
    await accept(1);
    await accept(2);

    expect(await ask(1)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1' });
    expect(await ask(4, { scanHash: 'key1:scan2' })).toMatchObject({ kind: 'joined', eventId: 'evt_2' });
  });

  test('an event that ends makes room', async () => {
    await accept(1);
    await accept(2);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'NOT_FOUND', '2026-11-25T12:00:00.000Z');

    expect(entered(await ask(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('a finished job that was never taken off is dropped when the backlog is full', async () => {
    await accept(1);
    await accept(2);
    await fixture.hand.complete(await fixture.hand.take());

    expect(entered(await ask(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('an entry whose job was removed long ago is dropped when the backlog is full', async () => {
    await fixture.server.ask('ZADD', BACKLOG, String((await fixture.redisNow()) - 61_000), 'evt_0');
    await accept(2);

    expect(entered(await ask(3))).toMatchObject({ kind: 'new', priority: 2 });
  });

  test('an event between gate and queue keeps its place', async () => {
    await ask(1);
    await ask(2);

    expect(await ask(3)).toEqual({ kind: 'backlog_full' });
    expect(await fixture.server.ask('ZCARD', BACKLOG)).toBe(2);
  });
});
