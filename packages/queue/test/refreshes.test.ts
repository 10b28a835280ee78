import { describe, expect, test } from '@jest/globals';
import { type SeenCopies, type TakenCopy, openReceipts, openSeenCopies } from '@passport/queue/copies';
import { NOON, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Copies that the service has made at a library, with these numbers. */
async function made(library: string, ...numbers: readonly number[]): Promise<void> {
  const receipts = openReceipts(fixture.redis);
  for (const patronId of numbers) {
    const homeKey = `midland:${patronId}`;
    const of = {
      home: 'midland',
      lending: library,
      homeKey,
      fields: ['surname'],
      eventId: `evt_${patronId}`,
    };
    await receipts.append({ at: '', patronId, ...of }, NOON, NOON);
  }
}

const open = (): SeenCopies => openSeenCopies(fixture.redis);
const note = (library: string, patron_id: number): Promise<boolean> => open().note({ library, patron_id });
const taken = (copy: TakenCopy | null): unknown =>
  copy === null ? null : [copy.library, copy.patron_id, copy.attempt];
async function take(): Promise<TakenCopy> {
  const copy = await open().take();
  if (copy === null) throw new Error('no copy is due');
  return copy;
}

/** What Redis needs for what it stores: 20,000 keys take more than a megabyte. */
const usedBytes = async (): Promise<number> =>
  Number(/used_memory_dataset:(\d+)/.exec(await fixture.redis.info('memory'))?.[1]);

/** So much time has passed since everything that is stored of scanned copies. */
async function pass(ms: number): Promise<void> {
  for (const key of await fixture.redis.keys('{passport}:seen*')) {
    const scores = await fixture.redis.zrange(key, '0', '-1', 'WITHSCORES');
    for (let at = 0; at < scores.length; at += 2) {
      await fixture.redis.zincrby(key, -ms, scores[at] ?? '');
    }
  }
}

describe('the scan of a copy', () => {
  test('is noted where the service has a record of the copy, and leaves nothing for any other number', async () => {
    await made('riverside', 402);
    const seen = open();
    await seen.note({ library: 'riverside', patron_id: 999 });
    const before = { keys: (await fixture.redis.keys('*')).toSorted(), bytes: await usedBytes() };

    for (let from = 1_000; from < 21_000; from += 1_000) {
      const numbers = Array.from({ length: 1_000 }, (_, n) => from + n);
      const all = numbers.map((patron_id) => seen.note({ library: 'riverside', patron_id }));
      expect(await Promise.all(all)).not.toContain(true);
    }

    expect((await fixture.redis.keys('*')).toSorted()).toEqual(before.keys);
    expect((await usedBytes()) - before.bytes).toBeLessThan(200_000);
    expect(await note('lakeside', 402)).toBe(false);
    expect(await note('riverside', 402)).toBe(true);
    expect(taken(await open().take())).toEqual(['riverside', 402, 1]);
  });

  test('is worked on once a day, however often it comes', async () => {
    await made('riverside', 402);
    await note('riverside', 402);
    await open().done(await take());

    await pass(23 * HOUR_MS);
    expect(await note('riverside', 402)).toBe(true);
    expect(await open().take()).toBeNull();

    await pass(HOUR_MS);
    expect(await note('riverside', 402)).toBe(true);
    expect(taken(await open().take())).toEqual(['riverside', 402, 1]);
  });

  test('is left to the sweep where a thousand of its library came within the hour; another library has its own thousand', async () => {
    const numbers = Array.from({ length: 1_001 }, (_, n) => n + 1);
    await made('riverside', ...numbers);
    await made('lakeside', 1);

    for (const number of numbers) expect(await note('riverside', number)).toBe(number <= 1_000);
    for (let each = 0; each < 500; each += 1) await open().done(await take());

    expect(await note('riverside', 1_001)).toBe(false);
    expect(await note('lakeside', 1)).toBe(true);
    await pass(HOUR_MS);
    expect(await note('riverside', 1_001)).toBe(true);
    expect(await fixture.redis.zcard('{passport}:seen:riverside')).toBe(501);
  });

  test('counts against the thousand of the hour at each visit, of one copy as of many', async () => {
    await made('riverside', 1, 2);
    const seen = open();
    const visit = (patron_id: number): Promise<boolean> =>
      seen.note({ library: 'riverside', patron_id }, true);
    for (let each = 0; each < 1_000; each += 1) {
      expect(await visit(1)).toBe(true);
      await seen.done(await take());
      // More than a minute ago for the copy, each time another one, and still within the hour.
      await fixture.redis.zincrby('{passport}:seen-today:riverside', each - 2 * MINUTE_MS, '1');
    }

    expect(await visit(1)).toBe(false);
    expect(await visit(2)).toBe(false);
    await pass(HOUR_MS);
    expect(await visit(2)).toBe(true);
  });

  test('is left to the sweep while a thousand of its library wait, at whatever pace they came', async () => {
    const numbers = Array.from({ length: 1_001 }, (_, n) => n + 1);
    await made('riverside', ...numbers);
    for (const number of numbers.slice(0, 1_000)) await note('riverside', number);
    await pass(2 * HOUR_MS);

    expect(await note('riverside', 1_001)).toBe(false);

    await open().done(await take());
    expect(await note('riverside', 1_001)).toBe(true);
  });
});

describe('a copy that waits for its refresh', () => {
  test('is the only one of its library that is worked on, and libraries take turns', async () => {
    await made('riverside', 1, 2);
    await made('lakeside', 7);
    await note('riverside', 1);
    await note('riverside', 2);
    await note('lakeside', 7);

    const first = await take();
    const second = await take();
    expect([first, second].map(taken)).toEqual(
      expect.arrayContaining([
        ['lakeside', 7, 1],
        ['riverside', 1, 1],
      ]),
    );
    expect(await open().take()).toBeNull();

    for (const copy of [first, second]) await open().done(copy);
    expect(taken(await open().take())).toEqual(['riverside', 2, 1]);
  });

  test('is worked on without another event when it is scanned while its library has a turn, at its very end too', async () => {
    await made('riverside', 1, 2);
    await note('riverside', 1);
    const first = await take();
    await note('riverside', 2);
    expect(await open().take()).toBeNull();

    await open().done(first);

    expect(taken(await open().take())).toEqual(['riverside', 2, 1]);
  });

  test('comes again when its worker was lost, and so does its library, but not for ever', async () => {
    await made('riverside', 1, 2);
    await note('riverside', 1);
    await take();
    await note('riverside', 2);
    await pass(29_000);
    expect(await open().take()).toBeNull();

    await pass(2_000);
    expect(taken(await open().take())).toEqual(['riverside', 2, 1]);
    for (const attempt of [2, 3]) {
      await pass(15 * MINUTE_MS);
      expect(taken(await open().take())).toEqual(['riverside', 1, attempt]);
      await pass(MINUTE_MS);
      await take();
    }

    await pass(HOUR_MS);
    expect(await open().take()).toBeNull();
    expect(await fixture.redis.keys('{passport}:seen*')).toEqual(['{passport}:seen-today:riverside']);
  });

  test('keeps its library’s turn while its worker says that it works', async () => {
    await made('riverside', 1, 2);
    await note('riverside', 1);
    await note('riverside', 2);
    await take();
    for (let each = 0; each < 3; each += 1) {
      await pass(20_000);
      expect(await open().take()).toBeNull();
      await open().keep('riverside');
    }
  });

  test('is tried twice more after a failure, with a pause, and then no more', async () => {
    await made('riverside', 1);
    await note('riverside', 1);
    for (const attempt of [1, 2, 3]) {
      const copy = await take();
      expect(taken(copy)).toEqual(['riverside', 1, attempt]);
      await open().failed(copy);
      await pass(14 * MINUTE_MS);
      expect(await open().take()).toBeNull();
      await pass(2 * MINUTE_MS);
    }
    expect(await fixture.redis.exists('{passport}:seen:riverside', '{passport}:seen-libraries')).toBe(0);
  });

  test('is due again at once, and not counted as tried, when its worker stopped', async () => {
    await made('riverside', 1);
    await note('riverside', 1);
    for (let stops = 0; stops < 5; stops += 1) await open().later(await take());

    expect(taken(await open().take())).toEqual(['riverside', 1, 1]);
  });

  test('waits with all others of its library until the time that is named, whatever is scanned meanwhile', async () => {
    await made('riverside', 1, 2, 3);
    await made('lakeside', 7);
    await note('riverside', 1);
    await note('riverside', 2);
    const copy = await take();
    await open().later(copy, (await fixture.redisNow()) + 20 * MINUTE_MS);
    await note('riverside', 3);
    await note('lakeside', 7);

    const other = await take();
    expect(taken(other)).toEqual(['lakeside', 7, 1]);
    await open().done(other);
    await pass(19 * MINUTE_MS);
    expect(await open().take()).toBeNull();
    await pass(2 * MINUTE_MS);
    expect((await take()).library).toBe('riverside');
  });
});
