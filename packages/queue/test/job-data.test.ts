import { describe, expect, test } from '@jest/globals';
import { jobIdOf } from '@passport/queue/keys';
import { addScans, buildJobDataWriter } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const JOB_ID = jobIdOf('riverside', 'evt_1');
const LOCK = `{passport}:scans:${JOB_ID}:lock`;
const AFTER = jobData({ encrypted_item: null });

async function take(): Promise<string> {
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
  await fixture.mover.take();
  return String(await fixture.server.call('GET', LOCK));
}

const stored = async () => (await fixture.queue.getJob(JOB_ID))?.data.encrypted_item;

describe('writing the data of a job under work', () => {
  test('is done with the token of its lock', async () => {
    const token = await take();

    expect(await buildJobDataWriter(fixture.redis).writeActive(JOB_ID, token, AFTER)).toBe(true);
    expect(await stored()).toBeNull();
  });

  test('is not done once the lock is another worker’s', async () => {
    const token = await take();
    await fixture.server.call('SET', LOCK, 'twin');

    expect(await buildJobDataWriter(fixture.redis).writeActive(JOB_ID, token, AFTER)).toBe(false);
    expect(await stored()).toBe('kid001:encrypted-item');
  });

  test('is not done once the lock has run out', async () => {
    const token = await take();
    await fixture.server.call('DEL', LOCK);

    expect(await buildJobDataWriter(fixture.redis).writeActive(JOB_ID, token, AFTER)).toBe(false);
    expect(await stored()).toBe('kid001:encrypted-item');
  });

  test('does not bring a removed job back', async () => {
    const token = await take();
    await fixture.server.call('DEL', `{passport}:scans:${JOB_ID}`, LOCK);

    expect(await buildJobDataWriter(fixture.redis).writeActive(JOB_ID, token, AFTER)).toBe(false);
    expect(await fixture.queue.getJob(JOB_ID)).toBeUndefined();
  });
});

const ENDED = jobData({
  event_id: 'evt_1',
  encrypted_card: null,
  encrypted_item: null,
  progress: { ...jobData().progress, seq: 3, state: 'done', outcome: 'NOT_FOUND' },
});
const add = (job = jobData({ event_id: 'evt_1' })) => addScans(fixture.queue, [{ job, priority: 1 }]);
const data = async () => (await fixture.queue.getJob(JOB_ID))?.data;

describe('writing an end that was lost with a Redis', () => {
  test('a job that was finished without its end gets it, and nothing encrypted stays', async () => {
    await add();
    await fixture.mover.complete(await fixture.mover.take());

    expect(await buildJobDataWriter(fixture.redis).writeLostEnd(JOB_ID, ENDED)).toBe(true);
    expect(await data()).toEqual(ENDED);
  });

  test('a job that has an end keeps it', async () => {
    const other = { ...ENDED, progress: { ...ENDED.progress, seq: 5, outcome: 'COPIED' as const } };
    await add(other);
    await fixture.mover.complete(await fixture.mover.take());

    expect(await buildJobDataWriter(fixture.redis).writeLostEnd(JOB_ID, ENDED)).toBe(false);
    expect(await data()).toEqual(other);
  });

  test('a job that is not finished is left to whoever has it', async () => {
    await add();
    const before = await data();

    expect(await buildJobDataWriter(fixture.redis).writeLostEnd(JOB_ID, ENDED)).toBe(false);
    expect(await data()).toEqual(before);
  });

  test('a job that is gone, or that cannot be read, is left alone', async () => {
    expect(await buildJobDataWriter(fixture.redis).writeLostEnd('riverside.none', ENDED)).toBe(false);
    await fixture.redis.hset(`{passport}:scans:${JOB_ID}`, { finishedOn: '1', data: 'no JSON' });
    expect(await buildJobDataWriter(fixture.redis).writeLostEnd(JOB_ID, ENDED)).toBe(false);
  });
});
