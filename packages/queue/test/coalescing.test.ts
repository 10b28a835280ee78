import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { addScans, resolveEventId, openLedger, readEventState } from '@passport/queue';
import {
  type QueueFixture,
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

const JOIN = '{passport}:join:riverside:key1:scan';
const first = question({ eventId: 'evt_1', bodyHashes: ['key1:body1'] });
const second = question({ eventId: 'evt_2', bodyHashes: ['key1:body2'] });

async function acceptFirst(): Promise<void> {
  await gate(first);
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
}

describe('a double scan', () => {
  test('it joins the first event, which is neither added nor counted again', async () => {
    await acceptFirst();

    expect(await gate(second)).toMatchObject({ kind: 'joined', eventId: 'evt_1', add: false });
    expect(await fixture.server.ask('ZCARD', '{passport}:backlog:riverside')).toBe(1);
  });

  test('it is remembered for 80 hours, as every event', async () => {
    await acceptFirst();
    await gate(second);

    const life = Number(await fixture.server.ask('TTL', '{passport}:guard:riverside.evt_2'));
    expect(life).toBeGreaterThan(80 * 3600 - 5);
    expect(life).toBeLessThanOrEqual(80 * 3600);
  });

  test('it joins for ten seconds after the first one', async () => {
    await acceptFirst();
    const lifeMs = Number(await fixture.server.ask('PTTL', JOIN));
    await gate(second);

    expect(lifeMs).toBeGreaterThan(9_000);
    expect(lifeMs).toBeLessThanOrEqual(10_000);
    expect(Number(await fixture.server.ask('PTTL', JOIN))).toBeLessThanOrEqual(lifeMs);
  });

  test('later than that it is an event of its own', async () => {
    await acceptFirst();
    await fixture.server.ask('DEL', JOIN);

    expect(await gate(second)).toMatchObject({ kind: 'new', eventId: 'evt_2', add: true });
  });

  test('another card, another item or another library is an event of its own', async () => {
    await acceptFirst();

    expect(await gate({ ...second, scanHash: 'key1:other-scan' })).toMatchObject({ kind: 'new' });
    expect(await gate({ ...second, library: 'lakeside' })).toMatchObject({ kind: 'new' });
  });

  test.each(['complete', 'fail'] as const)('it does not join a job that has ended (%s)', async (end) => {
    await acceptFirst();
    await fixture.hand[end](await fixture.hand.take());

    expect(await gate(second)).toMatchObject({ kind: 'new', eventId: 'evt_2' });
  });

  test('it does not join an event that has ended and was removed', async () => {
    await gate(first);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z');

    expect(await gate(second)).toMatchObject({ kind: 'new', eventId: 'evt_2' });
  });

  test('it joins a job that is being worked on', async () => {
    await acceptFirst();
    const job = await fixture.hand.take();

    expect(await gate(second)).toMatchObject({ kind: 'joined', eventId: 'evt_1', add: false });
    await fixture.hand.complete(job);
  });

  test('it adds the first event when that was lost between gate and queue', async () => {
    await gate(first);

    expect(await gate(second)).toMatchObject({ kind: 'joined', eventId: 'evt_1', add: true });
  });

  test('its redelivery follows the first event, and adds it when it was lost', async () => {
    await gate(first);
    await gate(second);

    expect(await gate(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: true });
    await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
    expect(await gate(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('its redelivery after the end does not run the first event again, even when its guard is gone', async () => {
    await gate(first);
    await gate(second);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z');
    expect(await gate(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });

    await fixture.server.ask('DEL', '{passport}:guard:riverside.evt_1');

    expect(await gate(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('its id with another body is a reuse', async () => {
    await acceptFirst();
    await gate(second);

    expect(await gate({ ...second, bodyHashes: ['key1:body3'] })).toEqual({ kind: 'reused' });
  });

  test('a third scan joins the first event, not the second', async () => {
    await acceptFirst();
    await gate(second);

    const third = question({ eventId: 'evt_3', bodyHashes: ['key1:body3'] });

    expect(await gate(third)).toMatchObject({ kind: 'joined', eventId: 'evt_1' });
  });

  test('the state is found under both ids', async () => {
    await acceptFirst();
    await gate(second);
    const stateOf = async (eventId: string) => {
      const followed = await resolveEventId(fixture.redis, 'riverside', eventId);
      return readEventState(fixture.queue, 'riverside', followed, (id) => id);
    };

    const [own, joined, unknown] = [await stateOf('evt_1'), await stateOf('evt_2'), await stateOf('evt_3')];

    expect(own).toMatchObject({ event_id: 'evt_1', state: 'queued', seq: 1 });
    expect(joined).toEqual(own);
    expect(unknown).toBeNull();
  });
});
