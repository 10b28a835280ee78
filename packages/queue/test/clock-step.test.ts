import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { addScans, promoteOverdue } from '@passport/queue';
import { type QueueFixture, jobData, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
beforeAll(async () => {
  fixture = await openQueueFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const LONGEST_MS = 120_000;
const HOUR_MS = 3_600_000;

/** Delays a job as the worker does: it says itself when it is to be tried again. */
async function delayed(eventId: string, waitMs: number): Promise<void> {
  await addScans(fixture.queue, [{ job: jobData({ event_id: eventId }), priority: 1 }]);
  const job = await fixture.mover.take();
  const at = (await fixture.redisNow()) + waitMs;
  const next_try_at = new Date(at).toISOString();
  const waiting_for = { library: 'midland', reason: 'NO_ANSWER' as const, next_try_at };
  const progress = { ...jobData().progress, state: 'waiting' as const, waiting_for };
  await job.updateData(jobData({ event_id: eventId, progress }));
  await fixture.mover.delay(job, at);
}
const states = async (...ids: string[]): Promise<string[]> =>
  Promise.all(ids.map((id) => fixture.queue.getJobState(`riverside.${id}`)));

describe('after the clock was set back', () => {
  test('jobs that were delayed by the old time do not sleep until it comes again', async () => {
    await delayed('soon', 60_000);
    await delayed('late_1', HOUR_MS);
    await delayed('late_2', HOUR_MS + 500);

    expect(await promoteOverdue(fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(2);
    expect(await states('soon', 'late_1', 'late_2')).toEqual(['delayed', 'prioritized', 'prioritized']);
  });

  test('nothing is promoted before its time otherwise', async () => {
    await delayed('soon', 90_000);

    expect(await promoteOverdue(fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(0);
    expect(await states('soon')).toEqual(['delayed']);
  });

  test('a job that says nothing of its time, or is no JSON, is left alone', async () => {
    await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
    await fixture.mover.delay(await fixture.mover.take(), (await fixture.redisNow()) + HOUR_MS);
    await fixture.server.ask('HSET', '{passport}:scans:riverside.evt_1', 'data', '{no json');

    expect(await promoteOverdue(fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(0);
  });
});
