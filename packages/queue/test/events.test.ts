import { describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import {
  ANY_EVENT,
  EVENT_STATES,
  type EventFilterState,
  type ListedEvent,
  findEvents,
} from '@passport/queue/events';
import { readRedis } from '@passport/queue/metrics';
import { addScans, readEventState, readQueue } from '@passport/queue/scans';
import { type QueueFixture, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const BACKLOG = '{passport}:backlog:riverside';
const nameOf = (id: string): string => `The library ${id}`;
const add = (...ids: string[]): Promise<void> =>
  addScans(
    fixture.queue,
    ids.map((event_id, n) => ({ job: jobData({ event_id }), priority: n + 1 })),
  );
const list = async (state: EventFilterState): Promise<readonly ListedEvent[]> => {
  const search = { ...ANY_EVENT, state, most: 100 };
  return (await findEvents(fixture.redis, fixture.queue, nameOf, search)).events;
};
const shown = (listed: readonly ListedEvent[]) =>
  listed.map((each) => (each.kind === 'event' ? `${each.state.event_id} ${each.state.state}` : each.kind));

/** One event in each state: working, failed, done, waiting, queued. */
async function oneOfEach(): Promise<void> {
  await add('working', 'failed', 'done', 'waiting', 'queued');
  await fixture.mover.take();
  await end('failed', { state: 'failed', outcome: 'MISCONFIGURED' }, (job) => fixture.mover.fail(job));
  await end('done', { state: 'done', outcome: 'COPIED' }, (job) => fixture.mover.complete(job));
  const later = (await fixture.redisNow()) + 60_000;
  await end('waiting', { state: 'waiting' }, (job) => fixture.mover.delay(job, later));
}

async function end(
  eventId: string,
  progress: Partial<JobData['progress']>,
  move: (job: Awaited<ReturnType<QueueFixture['mover']['take']>>) => Promise<void>,
): Promise<void> {
  const job = await fixture.mover.take();
  expect(job.data.event_id).toBe(eventId);
  await job.updateData({ ...job.data, progress: { ...job.data.progress, ...progress } });
  await move(job);
}

describe('events as a person sees them', () => {
  test('each is listed under its state', async () => {
    await oneOfEach();

    const lists = await Promise.all(EVENT_STATES.map(async (state) => shown(await list(state))));

    expect(Object.fromEntries(EVENT_STATES.map((state, n) => [state, lists[n]]))).toEqual({
      working: ['working working'],
      queued: ['queued queued'],
      waiting: ['waiting waiting'],
      failed: ['failed failed'],
      done: ['done done'],
    });
  });

  test('a job whose data are no JSON hides nobody', async () => {
    await add('evt_1', 'evt_2');
    await fixture.server.call('HSET', '{passport}:scans:riverside.evt_1', 'data', '{no json');

    expect(shown(await list('queued')).toSorted()).toEqual(['evt_2 queued', 'unreadable']);
    expect(await readEventState(fixture.redis, 'riverside', 'evt_1', nameOf)).toBeNull();
  });

  test('a payload that cannot be read is listed by its id and fields, without its values', async () => {
    await fixture.queue.add('riverside', { cardnumber: '21234000000017' } as unknown as JobData, {
      jobId: 'riverside.odd',
      priority: 1,
    });

    const listed = await list('queued');

    expect(listed).toEqual([{ kind: 'unreadable', jobId: 'riverside.odd', fields: expect.any(Array) }]);
    expect(JSON.stringify(listed)).not.toContain('21234');
  });

  test('the state of a running event has the number after its last one', async () => {
    await add('evt_1');
    const stateNow = () => readEventState(fixture.redis, 'riverside', 'evt_1', nameOf);
    const queued = await stateNow();
    await fixture.mover.take();

    expect([queued, await stateNow()]).toMatchObject([
      { state: 'queued', seq: 1, attempt: 0 },
      { state: 'working', seq: 2, attempt: 1 },
    ]);
  });

  test('a state contains neither card nor item', async () => {
    await add('evt_1');

    const text = JSON.stringify(await readEventState(fixture.redis, 'riverside', 'evt_1', nameOf));

    expect(text).not.toMatch(/sealed|card|item/);
  });

  test('an unknown event has no state, nor has one that cannot be read', async () => {
    await fixture.queue.add('riverside', {} as unknown as JobData, { jobId: 'riverside.odd' });

    expect(await readEventState(fixture.redis, 'riverside', 'odd', nameOf)).toBeNull();
    expect(await readEventState(fixture.redis, 'riverside', 'none', nameOf)).toBeNull();
  });
});

describe('the figures of the queue', () => {
  const read = async (nowMs?: number) =>
    readQueue(fixture.redis, fixture.queue, ['midland', 'riverside'], nowMs ?? (await fixture.redisNow()));

  test('jobs are counted by state', async () => {
    await oneOfEach();

    expect((await read()).jobs).toEqual({ queued: 1, working: 1, waiting: 1, failed: 1, done: 1 });
  });

  test('an empty queue is no time old', async () => {
    expect(await read()).toEqual({
      jobs: { queued: 0, working: 0, waiting: 0, failed: 0, done: 0 },
      oldestSeconds: 0,
      backlogs: { midland: 0, riverside: 0 },
    });
  });

  test('the oldest unfinished event of any library counts', async () => {
    const now = await fixture.redisNow();
    await add('evt_1', 'evt_2');
    await fixture.redis.zadd(BACKLOG, now - 5_000, 'evt_1', now - 2_000, 'evt_2');

    expect((await read(now)).oldestSeconds).toBe(5);
  });

  test('an entry whose job has ended, or was lost, is taken off on the way', async () => {
    const now = await fixture.redisNow();
    await add('ended', 'open');
    await fixture.mover.complete(await fixture.mover.take());
    await fixture.redis.zadd(BACKLOG, now - 90_000, 'lost', now - 80_000, 'ended', now - 3_000, 'open');

    expect(await read(now)).toMatchObject({ oldestSeconds: 3, backlogs: { midland: 0, riverside: 1 } });
    expect(await fixture.redis.zrange(BACKLOG, '0', '-1')).toEqual(['open']);
  });

  test('an event between admission and queue keeps its place', async () => {
    const now = await fixture.redisNow();
    await fixture.redis.zadd(BACKLOG, now - 1_000, 'on-its-way');

    expect((await read(now)).oldestSeconds).toBe(1);
    expect(await fixture.redis.zcard(BACKLOG)).toBe(1);
  });

  test('a long broken backlog heals over several readings', async () => {
    const now = await fixture.redisNow();
    const lost = Array.from({ length: 2_500 }, (_, n) => [now - 90_000, `lost_${n}`]).flat();
    await fixture.redis.zadd(BACKLOG, ...lost);

    const left: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      await read(now);
      left.push(await fixture.redis.zcard(BACKLOG));
    }
    expect(left).toEqual([1_500, 500, 0]);
  });
});

test('Redis reports its memory, its policy, whether it keeps a file, and who follows it', async () => {
  await fixture.redis.config('SET', 'maxmemory', '100mb');

  expect(await readRedis(fixture.redis)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+/),
    memoryUsedBytes: expect.any(Number),
    memoryLimitBytes: 100 * 1024 * 1024,
    policy: 'noeviction',
    keepsAof: false,
    replicas: 0,
  });
});
