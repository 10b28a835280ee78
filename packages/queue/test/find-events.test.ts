import { describe, expect, test } from '@jest/globals';
import { type JobData, nextProgress } from '@passport/contract';
import { ANY_EVENT, type EventSearch, type FoundEvents, findEvents } from '@passport/queue/events';
import { backlogKey } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { addScans, countEvents } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const ISO = '2026-11-25T12:00:00.000Z';

const fixture = useQueueFixture();
let made = 0;

type State = NonNullable<EventSearch['state']>;
type Failed = 'MISCONFIGURED' | 'TOO_LATE';
type Ended = 'COPIED' | 'NOT_FOUND';

/** An event in a state, as receiver and worker leave it. */
async function put(
  library: string,
  state: State,
  outcome: Failed | Ended | null = state === 'failed' ? 'MISCONFIGURED' : state === 'done' ? 'COPIED' : null,
): Promise<string> {
  const { queue, redis, mover } = fixture;
  made += 1;
  const id = `evt_${String(made).padStart(4, '0')}`;
  const base: JobData = jobData({ event_id: id, library });
  const progress = nextProgress(
    base.progress,
    { state: state === 'working' ? 'queued' : state, outcome },
    ISO,
  );
  await addScans(queue, [{ job: { ...base, progress }, priority: state === 'queued' ? 2 : 1 }]);
  await redis.zadd(backlogKey(library), made, id);
  if (state === 'queued') return id;
  const job = await mover.take();
  if (state === 'waiting') await mover.delay(job, Date.now() + 60_000);
  if (state === 'failed') await mover.fail(job);
  if (state === 'done') await mover.complete(job);
  if (outcome !== null) {
    await openLedger(redis).settle(library, id, outcome, new Date().toISOString(), { used: 'none' });
  }
  return id;
}

const find = (search: Partial<EventSearch>): Promise<FoundEvents> =>
  findEvents(fixture.redis, fixture.queue, (id) => id, {
    ...ANY_EVENT,
    state: 'failed',
    most: 100,
    ...search,
  });
const idsOf = ({ events }: FoundEvents): readonly string[] =>
  events.map((event) => (event.kind === 'event' ? event.state.event_id : event.jobId));

/** All pages of a search, the ids of each. */
async function pages(search: Partial<EventSearch>): Promise<readonly (readonly string[])[]> {
  const all: (readonly string[])[] = [];
  let after: string | null = null;
  do {
    const page = await find({ ...search, after });
    all.push(idsOf(page));
    after = page.next;
  } while (after !== null && all.length < 20);
  return all;
}

describe.each([
  ['of all libraries', null],
  ['of one library', ['riverside']],
] as const)('%s', (_what, libraries) => {
  test.each(['failed', 'done', 'waiting', 'queued', 'working'] as const)(
    '%s events are found',
    async (state) => {
      const ids = [await put('riverside', state), await put('riverside', state)];
      const other = state === 'failed' ? 'done' : 'failed';
      await put('riverside', other);
      expect(idsOf(await find({ state, libraries })).toSorted()).toEqual(ids);
    },
  );

  test('pages follow one another, the newest first, and none is shown twice or left out', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push(await put('riverside', 'failed'));
    const found = await pages({ libraries, most: 3 });
    expect(found.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(found.flat().toSorted()).toEqual(ids);
    expect(found.flat()).toEqual(ids.toReversed());
  });

  test('those that ended in the same millisecond are paged through, too', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await put('riverside', 'failed'));
    for (const id of ids) {
      await fixture.redis.zadd('{passport}:kept:failed:riverside', 1_000, id);
      await fixture.redis.zadd('{passport}:scans:failed', 1_000, `riverside.${id}`);
    }
    const found = await pages({ libraries, most: 2 });
    expect(found.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(found.flat().toSorted()).toEqual(ids);
  });

  test('the time of the end is a bound on both sides', async () => {
    const [early, middle, late] = [
      await put('riverside', 'failed'),
      await put('riverside', 'failed'),
      await put('riverside', 'failed'),
    ];
    for (const [id, ms] of [
      [early, 1_000],
      [middle, 2_000],
      [late, 3_000],
    ] as const) {
      await fixture.redis.zadd('{passport}:kept:failed:riverside', ms, id);
      await fixture.redis.zadd('{passport}:scans:failed', ms, `riverside.${id}`);
    }
    expect(idsOf(await find({ libraries, fromMs: 2_000 }))).toEqual([late, middle]);
    expect(idsOf(await find({ libraries, untilMs: 2_000 }))).toEqual([middle, early]);
    expect(idsOf(await find({ libraries, fromMs: 2_000, untilMs: 2_000 }))).toEqual([middle]);
    const second = await find({ libraries, untilMs: 2_000, most: 1 });
    expect(idsOf(await find({ libraries, untilMs: 2_000, after: second.next }))).toEqual([early]);
  });

  test('what is no cursor is the first page', async () => {
    const id = await put('riverside', 'failed');
    for (const after of ['', 'x', '12', '1e9_x', `-1_riverside.${id}`]) {
      expect([after, idsOf(await find({ libraries, after }))]).toEqual([after, [id]]);
    }
  });
});

test('of some libraries nothing of the others is found, and no cursor shows whether they have something', async () => {
  const own = await put('riverside', 'failed');
  const foreign = await put('lakeside', 'failed');
  const libraries = ['riverside'];
  for (const state of ['failed', 'done', 'waiting', 'queued', 'working'] as const) {
    await put('lakeside', state);
    const found = await find({ state, libraries });
    expect(idsOf(found)).toEqual(state === 'failed' ? [own] : []);
  }
  for (const id of [foreign, 'evt_guess']) {
    expect(idsOf(await find({ libraries, after: `9999999999999_lakeside.${id}` }))).toEqual([own]);
  }
});

test('an outcome is looked for, also beyond what one page looks at first', async () => {
  const wanted = await put('riverside', 'failed', 'TOO_LATE');
  for (let n = 0; n < 105; n += 1) await put('riverside', 'failed');
  const found = await find({ libraries: ['riverside'], outcome: 'TOO_LATE', most: 10 });
  expect([idsOf(found), found.isCut]).toEqual([[wanted], false]);
});

test('several libraries are merged in the order of time', async () => {
  const ids = [
    await put('riverside', 'failed'),
    await put('lakeside', 'failed'),
    await put('midland', 'failed'),
    await put('riverside', 'failed'),
  ];
  const found = await pages({ libraries: ['lakeside', 'riverside'], most: 2 });
  expect(found.flat()).toEqual([ids[3], ids[1], ids[0]]);
});

test('those that are worked on are paged through as the others', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push(await put('riverside', 'working'));
  const found = await pages({ state: 'working', most: 2 });
  expect(found.map((page) => page.length)).toEqual([2, 2, 1]);
  expect(found.flat().toSorted()).toEqual(ids);
});

describe('of one lending library, by the sets of all', () => {
  const add = (many: number, library: string, priority: number): Promise<void> =>
    addScans(
      fixture.queue,
      Array.from({ length: many }, (_, n) => ({
        job: jobData({ library, event_id: `evt_${n}` }),
        priority,
      })),
    );

  test('only its own are loaded, however many others are newer', async () => {
    await add(1, 'riverside', 2_000);
    await add(2_500, 'lakeside', 2);
    await add(1, 'midland', 1);
    await fixture.server.call('CONFIG', 'RESETSTAT');

    const found = await find({ state: 'queued', jobsAt: 'midland' });

    expect(found).toMatchObject({ events: [{ jobId: 'midland.evt_0' }], next: null, isCut: false });
    const stats = String(await fixture.server.call('INFO', 'commandstats'));
    expect(Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1])).toBe(1);
  });

  test('a long list is paged through to its end, each event once', async () => {
    await add(1_200, 'riverside', 1);
    const found = await pages({ state: 'queued', jobsAt: 'riverside', most: 500 });
    expect(found.map((page) => page.length)).toEqual([500, 500, 200]);
    expect(new Set(found.flat()).size).toBe(1_200);
  });

  test.each(['failed', 'done', 'waiting', 'working'] as const)('%s events are found', async (state) => {
    await put('lakeside', state);
    const own = await put('riverside', state);
    expect(idsOf(await find({ state, jobsAt: 'riverside' }))).toEqual([own]);
  });

  test('a job that cannot be read is shown, too', async () => {
    await fixture.queue.add('riverside', { v: 99 } as never, { jobId: 'riverside.evt_new', priority: 1 });
    expect(idsOf(await find({ state: 'queued', jobsAt: 'riverside' }))).toEqual(['riverside.evt_new']);
    expect(idsOf(await find({ state: 'queued', jobsAt: 'lakeside' }))).toEqual([]);
  });
});

test('a job that cannot be read is shown among those of all libraries only', async () => {
  await fixture.queue.add('riverside', { v: 99 } as never, { jobId: 'riverside.evt_new', priority: 1 });
  await fixture.redis.zadd(backlogKey('riverside'), 1, 'evt_new');
  expect(idsOf(await find({ state: 'queued' }))).toEqual(['riverside.evt_new']);
  expect(idsOf(await find({ state: 'queued', libraries: ['riverside'] }))).toEqual([]);
});

test('events are counted by state, of these libraries alone', async () => {
  for (const state of ['failed', 'done', 'waiting', 'working', 'queued'] as const) {
    await put('riverside', state);
    await put('lakeside', state);
  }
  await put('riverside', 'queued');
  const { redis } = fixture;
  expect(await countEvents(redis, fixture.queue, ['riverside'])).toEqual({
    queued: 2,
    working: 1,
    waiting: 1,
    failed: 1,
    done: 1,
  });
  expect(await countEvents(redis, fixture.queue, ['riverside', 'lakeside'])).toEqual({
    queued: 3,
    working: 2,
    waiting: 2,
    failed: 2,
    done: 2,
  });
  expect(await countEvents(redis, fixture.queue, ['midland'])).toEqual({
    queued: 0,
    working: 0,
    waiting: 0,
    failed: 0,
    done: 0,
  });
});

test('a count looks at no more events than it may, of all libraries together', async () => {
  for (const library of ['riverside', 'riverside', 'riverside', 'lakeside', 'lakeside', 'midland']) {
    await put(library, 'waiting');
  }
  const { waiting, queued } = await countEvents(
    fixture.redis,
    fixture.queue,
    ['riverside', 'lakeside', 'midland'],
    3,
  );
  expect({ waiting, queued }).toEqual({ waiting: 3, queued: 3 });
});
