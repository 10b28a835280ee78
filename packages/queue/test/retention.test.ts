import { describe, expect, test } from '@jest/globals';
import { queuedJob } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { buildItemSweep, cleanByAge, noteItem } from '@passport/queue/retention';
import { addScans } from '@passport/queue/scans';
import { NOON, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const JOB = 'riverside.evt_1';
const DAY_MS = 24 * 3_600_000;

async function failWithItem(): Promise<void> {
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
  await noteItem(fixture.redis, JOB, NOON);
  await fixture.mover.fail(await fixture.mover.take());
}
const itemOf = async (jobId = JOB) => (await fixture.queue.getJob(jobId))?.data.encrypted_item;
const noted = (): Promise<number> => fixture.redis.zcard('{passport}:items');

describe('the encrypted item of a failed job', () => {
  test('it stays until it may not be checked out any more, then goes; the card stays', async () => {
    await failWithItem();
    const sweep = buildItemSweep(fixture.redis);

    expect(await sweep(NOON - 1)).toBe(0);
    expect(await itemOf()).toBe('kid001:encrypted-item');
    expect(await sweep(NOON)).toBe(1);

    expect((await fixture.queue.getJob(JOB))?.data).toEqual(
      queuedJob({ ...jobData(), encrypted_item: null }),
    );
    expect(await noted()).toBe(0);
  });

  test('it goes also where another job that lost one is no JSON any more, or no job at all', async () => {
    await failWithItem();
    await noteItem(fixture.redis, 'riverside.a', NOON - 2);
    await fixture.server.call('HSET', '{passport}:scans:riverside.a', 'data', '{no json');
    await noteItem(fixture.redis, 'riverside.b', NOON - 1);
    await fixture.server.call('SET', '{passport}:scans:riverside.b', 'no hash');

    await buildItemSweep(fixture.redis)(NOON).catch(() => 0);

    expect(await itemOf()).toBeNull();
    expect(await fixture.server.call('ZRANGE', '{passport}:items', '0', '-1')).toEqual(['riverside.b']);
  });

  test('it goes also when a person retried the job meanwhile', async () => {
    await failWithItem();
    await (await fixture.queue.getJob(JOB))?.retry('failed');

    expect(await buildItemSweep(fixture.redis)(NOON)).toBe(1);
    expect(await itemOf()).toBeNull();
  });

  test('a job that changes meanwhile keeps the change, and loses its item at the next sweep', async () => {
    await failWithItem();
    const changed = { ...jobData(), retried: { at_ms: NOON, stalled: 0 } };
    const slow = changesAfterRead(fixture.redis, async () => {
      await (await fixture.queue.getJob(JOB))?.updateData(changed);
    });

    expect(await buildItemSweep(slow)(NOON)).toBe(0);
    expect((await fixture.queue.getJob(JOB))?.data).toEqual(changed);

    expect(await buildItemSweep(fixture.redis)(NOON)).toBe(1);
    expect((await fixture.queue.getJob(JOB))?.data).toEqual({ ...changed, encrypted_item: null });
  });

  test('what a newer version wrote beside it is kept', async () => {
    await failWithItem();
    const newer = { ...jobData(), added_in_v2: { a: [] } };
    await (await fixture.queue.getJob(JOB))?.updateData(newer);

    await buildItemSweep(fixture.redis)(NOON);

    expect((await fixture.queue.getJob(JOB))?.data).toEqual({ ...newer, encrypted_item: null });
  });

  test('a job that is gone or has no item is forgotten', async () => {
    await noteItem(fixture.redis, 'riverside.gone', NOON);
    await failWithItem();
    await (await fixture.queue.getJob(JOB))?.updateData({ ...jobData(), encrypted_item: null });

    expect(await buildItemSweep(fixture.redis)(NOON)).toBe(0);
    expect(await noted()).toBe(0);
  });
});

/** A connection on which something happens between reading a job and writing it. */
function changesAfterRead(redis: Redis, change: () => Promise<void>): Redis {
  return new Proxy(redis, {
    get(target, name) {
      if (name !== 'hget') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return async (key: string, field: string) => {
        const text = await target.hget(key, field);
        await change();
        return text;
      };
    },
  });
}

describe('cleaning by age', () => {
  const ages = { finishedMs: DAY_MS, failedMs: 7 * DAY_MS, receiptsMs: 400 * DAY_MS, auditMs: 400 * DAY_MS };
  const ended = () => fixture.queue.getJobCounts('completed', 'failed');

  async function endTwo(): Promise<void> {
    await addScans(fixture.queue, [
      { job: jobData(), priority: 1 },
      { job: jobData({ event_id: 'evt_2' }), priority: 2 },
    ]);
    await fixture.mover.complete(await fixture.mover.take());
    await fixture.mover.fail(await fixture.mover.take());
  }

  test('young jobs stay', async () => {
    await endTwo();
    await cleanByAge(fixture.redis, fixture.queue, ages, NOON);

    expect(await ended()).toEqual({ completed: 1, failed: 1 });
  });

  test('finished and failed jobs go at their own ages, though the queue is quiet', async () => {
    await endTwo();
    await waitFor('the finished job to be old enough', async () => {
      await cleanByAge(fixture.redis, fixture.queue, { ...ages, finishedMs: 1 }, NOON);
      return (await ended())['completed'] === 0;
    });
    expect(await ended()).toEqual({ completed: 0, failed: 1 });

    await waitFor('the failed job to be old enough', async () => {
      await cleanByAge(fixture.redis, fixture.queue, { ...ages, failedMs: 1 }, NOON);
      return (await ended())['failed'] === 0;
    });
    expect(await fixture.queue.getJob('riverside.evt_2')).toBeUndefined();
  });
});
