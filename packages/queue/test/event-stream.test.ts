import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { addScans } from '@passport/queue';
import { type QueueFixture, jobData, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

test("BullMQ's stream of events, which nobody reads, stays short", async () => {
  const { queue, redis } = fixture;
  await queue.waitUntilReady();
  const scans = Array.from({ length: 3_000 }, (_, n) => ({
    job: jobData({ event_id: `evt_${n}` }),
    priority: 1,
  }));
  await addScans(queue, scans);
  // Redis removes whole nodes of a hundred entries.
  expect(await redis.xlen('{passport}:scans:events')).toBeLessThanOrEqual(1_200);
});
