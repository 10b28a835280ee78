import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { addScans, buildFencedWrite, jobIdOf } from '@passport/queue';
import { type QueueFixture, jobData, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const JOB_ID = jobIdOf('riverside', 'evt_1');
const LOCK = `{passport}:scans:${JOB_ID}:lock`;
const AFTER = jobData({ sealed_item: null });

async function take(): Promise<string> {
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
  await fixture.mover.take();
  return String(await fixture.server.ask('GET', LOCK));
}

const stored = async () => (await fixture.queue.getJob(JOB_ID))?.data.sealed_item;

describe('writing the data of a job under work', () => {
  test('is done with the token of its lock', async () => {
    const token = await take();

    expect(await buildFencedWrite(fixture.redis)(JOB_ID, token, AFTER)).toBe(true);
    expect(await stored()).toBeNull();
  });

  test('is not done once the lock is another worker’s', async () => {
    const token = await take();
    await fixture.server.ask('SET', LOCK, 'twin');

    expect(await buildFencedWrite(fixture.redis)(JOB_ID, token, AFTER)).toBe(false);
    expect(await stored()).toBe('kid:sealed-item');
  });

  test('is not done once the lock has run out', async () => {
    const token = await take();
    await fixture.server.ask('DEL', LOCK);

    expect(await buildFencedWrite(fixture.redis)(JOB_ID, token, AFTER)).toBe(false);
    expect(await stored()).toBe('kid:sealed-item');
  });

  test('does not bring a removed job back', async () => {
    const token = await take();
    await fixture.server.ask('DEL', `{passport}:scans:${JOB_ID}`, LOCK);

    expect(await buildFencedWrite(fixture.redis)(JOB_ID, token, AFTER)).toBe(false);
    expect(await fixture.queue.getJob(JOB_ID)).toBeUndefined();
  });
});
