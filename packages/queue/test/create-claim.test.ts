import { describe, expect, test } from '@jest/globals';
import { openReceipts } from '@passport/queue/copies';
import { jobIdOf } from '@passport/queue/keys';
import { type ClaimResult, buildClaimCreate, openCreatePlaces, openPatronLocks } from '@passport/queue/locks';
import { addScans } from '@passport/queue/scans';
import { NOON, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const LIFE_MS = 10_000;
const LOCK = 'riverside:midland:812';
const SENT = { home: 'midland', home_key: 'midland:812', fields: ['surname'] };
const own = (event: string, sinceMs = 5) => ({ event: `riverside.${event}`, run: 'run-1', sinceMs });
const jobKeyOf = (event: string) => `{passport}:scans:${jobIdOf('riverside', event)}`;

/** An active job of its own; returns what claims for it. */
async function take(event: string): Promise<(lock?: string, unlessCopyOf?: string) => Promise<ClaimResult>> {
  await addScans(fixture.queue, [{ job: jobData({ event_id: event }), priority: 1 }]);
  await fixture.mover.take();
  const token = String(await fixture.server.call('GET', `${jobKeyOf(event)}:lock`));
  const job = { id: jobIdOf('riverside', event), token, data: jobData({ event_id: event, sent: SENT }) };
  const place = { library: 'riverside', owner: own(event), placeLifeMs: LIFE_MS };
  return (name = LOCK, unlessCopyOf) =>
    buildClaimCreate(fixture.redis)(job, {
      ...place,
      unlessCopyOf: unlessCopyOf ?? null,
      patronLock: { name, run: 'lock-1', lifeMs: LIFE_MS },
    });
}

const noted = async (event: string) =>
  (await fixture.queue.getJob(jobIdOf('riverside', event)))?.data.sent ?? null;
const places = () => openCreatePlaces(fixture.redis);
const locks = () => openPatronLocks(fixture.redis);
const isFree = async () => ({
  place: (await fixture.redis.exists('{passport}:create:riverside')) === 0,
  line: (await fixture.redis.exists('{passport}:create:riverside:line')) === 0,
  lock: (await fixture.redis.exists(`{passport}:patron-lock:${LOCK}`)) === 0,
});

describe('what a job needs before it creates a copy', () => {
  test('is taken at once: place, patron lock, and the note of what is sent', async () => {
    const claim = await take('evt_1');

    expect(await claim()).toBe('taken');
    expect(await noted('evt_1')).toEqual(SENT);
    expect(await places().take('riverside', own('evt_2'), LIFE_MS)).toBeNull();
    expect(await locks().take(LOCK, { event: 'riverside.evt_2', run: 'x' }, LIFE_MS)).toBeNull();
  });

  test('is released as if each had been taken alone', async () => {
    const claim = await take('evt_1');
    await claim();
    await places().taken('riverside', own('evt_1'), LIFE_MS).release();
    await locks().taken(LOCK, { event: 'riverside.evt_1', run: 'lock-1' })();

    expect(await isFree()).toEqual({ place: true, line: true, lock: true });
  });

  test('is not taken without the place: it waits in line, the patron lock free and nothing noted', async () => {
    const claim = await take('evt_1');
    const before = await places().take('riverside', own('evt_0', 1), LIFE_MS);

    expect(await claim()).toBe('place_busy');
    expect(await noted('evt_1')).toBeNull();
    expect(await isFree()).toEqual({ place: false, line: false, lock: true });
    await before?.release();
    expect(await places().take('riverside', own('young', 9), LIFE_MS)).toBeNull();
    expect(await claim()).toBe('taken');
  });

  test('is not taken without the patron lock: it leaves the line, the place free and nothing noted', async () => {
    const claim = await take('evt_1');
    const before = await places().take('riverside', own('evt_0', 1), LIFE_MS);
    expect(await claim()).toBe('place_busy');
    await before?.release();
    await locks().take(LOCK, { event: 'riverside.evt_2', run: 'x' }, LIFE_MS);

    expect(await claim()).toBe('patron_busy');
    expect(await noted('evt_1')).toBeNull();
    expect(await isFree()).toEqual({ place: true, line: true, lock: false });
  });

  test('is not taken where the copy is on record: it leaves the line, all is free and nothing noted', async () => {
    const claim = await take('evt_1');
    const before = await places().take('riverside', own('evt_0', 1), LIFE_MS);
    expect(await claim(LOCK, 'midland:812')).toBe('place_busy');
    await before?.release();
    const copy = { at: '', home: 'midland', lending: 'riverside', fields: ['surname'], patronId: 402 };
    const receipt = { ...copy, homeKey: 'midland:812', eventId: 'evt_0' };
    await openReceipts(fixture.redis).append(receipt, NOON, NOON);

    expect(await claim(LOCK, 'midland:812')).toBe('on_record');
    expect(await noted('evt_1')).toBeNull();
    expect(await isFree()).toEqual({ place: true, line: true, lock: true });

    expect(await claim(LOCK, 'midland:81')).toBe('taken');
    expect(await claim()).toBe('taken');
  });

  test('is taken by an event that has the patron lock, and by a later run of one that died', async () => {
    const claim = await take('evt_1');
    await locks().take(LOCK, { event: 'riverside.evt_1', run: 'earlier' }, LIFE_MS);
    await places().take('riverside', { ...own('evt_1'), run: 'earlier' }, LIFE_MS);

    expect(await claim()).toBe('taken');
  });

  test('of another patron needs another lock', async () => {
    const claim = await take('evt_1');
    await locks().take(LOCK, { event: 'riverside.evt_2', run: 'x' }, LIFE_MS);

    expect(await claim('riverside:midland:813')).toBe('taken');
  });

  for (const [why, lock] of [
    ['is another run’s', ['SET', 'twin']],
    ['has run out', ['DEL']],
  ] as const) {
    test(`is not taken once the lock of the job ${why}`, async () => {
      const claim = await take('evt_1');
      const [command, ...value] = lock;
      await fixture.server.call(command, `${jobKeyOf('evt_1')}:lock`, ...value);

      expect(await claim()).toBe('lost');
      expect(await noted('evt_1')).toBeNull();
      expect(await isFree()).toEqual({ place: true, line: true, lock: true });
    });
  }
});
