import { expect, test } from '@jest/globals';
import { addScans } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

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
