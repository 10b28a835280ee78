import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { addScans, buildEndWrite } from '@passport/queue';
import { type QueueFixture, jobData, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const JOB = 'riverside.evt_1';
const ENDED = jobData({
  event_id: 'evt_1',
  sealed_card: null,
  sealed_item: null,
  progress: { ...jobData().progress, seq: 3, state: 'done', outcome: 'NOT_FOUND' },
});
const add = (job = jobData({ event_id: 'evt_1' })) => addScans(fixture.queue, [{ job, priority: 1 }]);
const stored = async () => (await fixture.queue.getJob(JOB))?.data;

test('a job that was finished without its end gets it, and nothing encrypted stays', async () => {
  await add();
  await fixture.mover.complete(await fixture.mover.take());

  expect(await buildEndWrite(fixture.redis)(JOB, ENDED)).toBe(true);
  expect(await stored()).toEqual(ENDED);
});

test('a job that has an end keeps it', async () => {
  const other = { ...ENDED, progress: { ...ENDED.progress, seq: 5, outcome: 'COPIED' as const } };
  await add(other);
  await fixture.mover.complete(await fixture.mover.take());

  expect(await buildEndWrite(fixture.redis)(JOB, ENDED)).toBe(false);
  expect(await stored()).toEqual(other);
});

test('a job that is not finished is left to whoever has it', async () => {
  await add();
  const before = await stored();

  expect(await buildEndWrite(fixture.redis)(JOB, ENDED)).toBe(false);
  expect(await stored()).toEqual(before);
});

test('a job that is gone, or that cannot be read, is left alone', async () => {
  expect(await buildEndWrite(fixture.redis)('riverside.none', ENDED)).toBe(false);
  await fixture.redis.hset(`{passport}:scans:${JOB}`, { finishedOn: '1', data: 'no JSON' });
  expect(await buildEndWrite(fixture.redis)(JOB, ENDED)).toBe(false);
});
