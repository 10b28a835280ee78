import { describe, expect, test } from '@jest/globals';
import { openLedger } from '@passport/queue/ledger';
import { addScans, cancelEvent, readEventState } from '@passport/queue/scans';
import { jobData, useQueueFixture, question, openAdmission } from './queue-fixture.ts';

const fixture = useQueueFixture();
const admit = openAdmission(fixture);

const COALESCING_KEY = '{passport}:coalescing:riverside:key1:scan';
const first = question({ eventId: 'evt_1', bodyHashes: ['key1:body1'] });
const second = question({ eventId: 'evt_2', bodyHashes: ['key1:body2'] });

async function acceptFirst(): Promise<void> {
  await admit(first);
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
}

describe('a double scan', () => {
  test('it is coalesced with the first event, which is neither added nor counted again', async () => {
    await acceptFirst();

    expect(await admit(second)).toMatchObject({ kind: 'coalesced', eventId: 'evt_1', add: false });
    expect(await fixture.server.call('ZCARD', '{passport}:backlog:riverside')).toBe(1);
  });

  test('it is remembered for 80 hours, as every event', async () => {
    await acceptFirst();
    await admit(second);

    const life = Number(await fixture.server.call('TTL', '{passport}:idempotency:riverside.evt_2'));
    expect(life).toBeGreaterThan(80 * 3600 - 5);
    expect(life).toBeLessThanOrEqual(80 * 3600);
  });

  test('it is coalesced for ten seconds after the first one', async () => {
    await acceptFirst();
    const lifeMs = Number(await fixture.server.call('PTTL', COALESCING_KEY));
    await admit(second);

    expect(lifeMs).toBeGreaterThan(9_000);
    expect(lifeMs).toBeLessThanOrEqual(10_000);
    expect(Number(await fixture.server.call('PTTL', COALESCING_KEY))).toBeLessThanOrEqual(lifeMs);
  });

  test('later than that it is an event of its own', async () => {
    await acceptFirst();
    await fixture.server.call('DEL', COALESCING_KEY);

    expect(await admit(second)).toMatchObject({ kind: 'new', eventId: 'evt_2', add: true });
  });

  test('another card, another item or another library is an event of its own', async () => {
    await acceptFirst();

    expect(await admit({ ...second, scanHash: 'key1:other-scan' })).toMatchObject({ kind: 'new' });
    expect(await admit({ ...second, library: 'lakeside' })).toMatchObject({ kind: 'new' });
  });

  test.each(['complete', 'fail'] as const)(
    'it is not coalesced with a job that has ended (%s)',
    async (end) => {
      await acceptFirst();
      await fixture.mover[end](await fixture.mover.take());

      expect(await admit(second)).toMatchObject({ kind: 'new', eventId: 'evt_2' });
    },
  );

  test('it is not coalesced with an event that was cancelled and has not ended: whoever scans again wants it', async () => {
    await acceptFirst();
    await cancelEvent(fixture.redis, fixture.queue, 'riverside', 'evt_1');

    expect(await admit(second)).toMatchObject({ kind: 'new', eventId: 'evt_2', add: true });
  });

  test('it is not coalesced with an event that has ended and was removed', async () => {
    await admit(first);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z', {
      used: 'copies',
    });

    expect(await admit(second)).toMatchObject({ kind: 'new', eventId: 'evt_2' });
  });

  test('it is coalesced with a job that is being worked on', async () => {
    await acceptFirst();
    const job = await fixture.mover.take();

    expect(await admit(second)).toMatchObject({ kind: 'coalesced', eventId: 'evt_1', add: false });
    await fixture.mover.complete(job);
  });

  test('it adds the first event when that was lost between admission and queue', async () => {
    await admit(first);

    expect(await admit(second)).toMatchObject({ kind: 'coalesced', eventId: 'evt_1', add: true });
  });

  test('its redelivery follows the first event, and adds it when it was lost', async () => {
    await admit(first);
    await admit(second);

    expect(await admit(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: true });
    await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
    expect(await admit(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('its redelivery after the end does not run the first event again, even when its idempotency key is gone', async () => {
    await admit(first);
    await admit(second);
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z', {
      used: 'copies',
    });
    expect(await admit(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });

    await fixture.server.call('DEL', '{passport}:idempotency:riverside.evt_1');

    expect(await admit(second)).toMatchObject({ kind: 'duplicate', eventId: 'evt_1', add: false });
  });

  test('its id with another body is a reuse', async () => {
    await acceptFirst();
    await admit(second);

    expect(await admit({ ...second, bodyHashes: ['key1:body3'] })).toEqual({ kind: 'reused' });
  });

  test('a third scan is coalesced with the first event, not the second', async () => {
    await acceptFirst();
    await admit(second);

    const third = question({ eventId: 'evt_3', bodyHashes: ['key1:body3'] });

    expect(await admit(third)).toMatchObject({ kind: 'coalesced', eventId: 'evt_1' });
  });

  test('the state is found under both ids', async () => {
    await acceptFirst();
    await admit(second);
    const stateOf = (eventId: string) => readEventState(fixture.redis, 'riverside', eventId, (id) => id);

    const [own, coalesced, unknown] = [
      await stateOf('evt_1'),
      await stateOf('evt_2'),
      await stateOf('evt_3'),
    ];

    expect(own).toMatchObject({ event_id: 'evt_1', state: 'queued', seq: 1 });
    expect(coalesced).toEqual(own);
    expect(unknown).toBeNull();
  });
});
