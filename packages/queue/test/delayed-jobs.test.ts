import { describe, expect, test } from '@jest/globals';
import { noteDelayed, librariesWithDelayed, promoteDelayed } from '@passport/queue/delays';
import { jobIdOf, delayedKey } from '@passport/queue/keys';
import { addScans } from '@passport/queue/scans';
import { jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const HOUR_MS = 3_600_000;

async function delayOne(n: number, priority: number): Promise<string> {
  await addScans(fixture.queue, [{ job: jobData({ event_id: `evt_${n}` }), priority }]);
  const jobId = jobIdOf('riverside', `evt_${n}`);
  await noteDelayed(fixture.redis, 'midland', jobId);
  await fixture.mover.delay(await fixture.mover.take(), (await fixture.redisNow()) + HOUR_MS);
  return jobId;
}

const stateOf = async (jobId: string): Promise<string | undefined> =>
  (await fixture.queue.getJob(jobId))?.getState();

describe('jobs that wait for a library', () => {
  test('they are promoted when it comes back, and keep their order', async () => {
    await delayOne(1, 300);
    await delayOne(2, 200);
    await delayOne(3, 100);

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(3);

    const order: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const job = await fixture.mover.take();
      order.push(job.data.event_id);
      await fixture.mover.complete(job);
    }
    expect(order).toEqual(['evt_3', 'evt_2', 'evt_1']);
  });

  test('delaying and promoting costs no attempt', async () => {
    const jobId = await delayOne(1, 1);
    await promoteDelayed(fixture.redis, fixture.queue, 'midland');

    expect((await fixture.queue.getJob(jobId))?.attemptsMade).toBe(0);
  });

  test('more of them than one batch are all promoted', async () => {
    const jobs = Array.from({ length: 230 }, (_, n) => ({
      job: jobData({ event_id: `evt_${n}` }),
      priority: 1,
    }));
    await addScans(fixture.queue, jobs);
    for (let n = 0; n < jobs.length; n += 1) {
      const job = await fixture.mover.take();
      await noteDelayed(fixture.redis, 'midland', job.id ?? '');
      await fixture.mover.delay(job, (await fixture.redisNow()) + HOUR_MS);
    }

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(230);
    expect(await fixture.queue.getJobCounts('delayed', 'prioritized')).toEqual({
      delayed: 0,
      prioritized: 230,
    });
  });

  test('one that was due by itself and one that is gone are passed over', async () => {
    const [promotedNow, gone, waiting] = [await delayOne(1, 1), await delayOne(2, 2), await delayOne(3, 3)];
    await (await fixture.queue.getJob(promotedNow))?.promote();
    await (await fixture.queue.getJob(gone))?.remove();

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(1);
    expect(await stateOf(waiting)).toBe('prioritized');
  });

  test('one that is noted but not yet moved is promoted the next time', async () => {
    await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
    const job = await fixture.mover.take();
    await noteDelayed(fixture.redis, 'midland', job.id ?? '');

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(0);
    await fixture.mover.delay(job, (await fixture.redisNow()) + HOUR_MS);
    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland')).toBe(1);
  });

  test('one alone can be promoted, to see whether its library is back', async () => {
    const jobIds = [await delayOne(1, 1), await delayOne(2, 2), await delayOne(3, 3)];

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'midland', 1)).toBe(1);

    const states = await Promise.all(jobIds.map(stateOf));
    expect(states.filter((state) => state === 'delayed')).toHaveLength(2);
    expect(await librariesWithDelayed(fixture.redis)).toEqual(['midland']);
  });

  test('a library is on the list for as long as jobs wait for it', async () => {
    await delayOne(1, 1);
    expect(await librariesWithDelayed(fixture.redis)).toEqual(['midland']);

    await promoteDelayed(fixture.redis, fixture.queue, 'midland');

    expect(await librariesWithDelayed(fixture.redis)).toEqual([]);
  });

  test('those that wait for another library sleep on', async () => {
    const jobId = await delayOne(1, 1);

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'lakeside')).toBe(0);
    expect(await stateOf(jobId)).toBe('delayed');
  });

  test('two that find the library back at the same moment promote each job once', async () => {
    await Promise.all([1, 2, 3, 4].map((n) => delayOne(n, n)));
    const other = await fixture.connect();

    const promoted = await Promise.all([
      promoteDelayed(fixture.redis, fixture.queue, 'midland'),
      promoteDelayed(other, fixture.queue, 'midland'),
    ]);

    expect(promoted[0] + promoted[1]).toBe(4);
  });

  test('a note for a library that never comes back is forgotten', async () => {
    await delayOne(1, 1);

    const life = await fixture.redis.ttl(delayedKey('midland'));
    expect(life).toBeGreaterThan(120);
    expect(life).toBeLessThanOrEqual(900);
  });
});
