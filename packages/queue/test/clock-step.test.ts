import { describe, expect, test } from '@jest/globals';
import { addScans, promoteOverdue } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const LONGEST_MS = 120_000;
const HOUR_MS = 3_600_000;

async function delayed(eventId: string, waitMs: number): Promise<void> {
  await addScans(fixture.queue, [{ job: jobData({ event_id: eventId }), priority: 1 }]);
  await fixture.mover.delay(await fixture.mover.take(), (await fixture.redisNow()) + waitMs);
}

const states = async (...ids: string[]): Promise<string[]> =>
  Promise.all(ids.map((id) => fixture.queue.getJobState(`riverside.${id}`)));

describe('after the clock was set back', () => {
  test('jobs that were delayed by the old time, or only requeued at it, do not wait until it comes again', async () => {
    await delayed('soon', 60_000);
    await delayed('late_1', HOUR_MS);
    await delayed('late_2', HOUR_MS + 500);

    expect(await promoteOverdue(fixture.redis, fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(2);
    expect(await states('soon', 'late_1', 'late_2')).toEqual(['delayed', 'prioritized', 'prioritized']);
  });

  test('nothing is promoted before its time otherwise', async () => {
    await delayed('soon', 90_000);

    expect(await promoteOverdue(fixture.redis, fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(0);
    expect(await states('soon')).toEqual(['delayed']);
  });

  test('a job that cannot be read is promoted, too, so that a worker ends it', async () => {
    await delayed('evt_1', HOUR_MS);
    await fixture.server.call('HSET', '{passport}:scans:riverside.evt_1', 'data', '{no json');

    expect(await promoteOverdue(fixture.redis, fixture.queue, await fixture.redisNow(), LONGEST_MS)).toBe(1);
    expect(await states('evt_1')).toEqual(['prioritized']);
  });
});
