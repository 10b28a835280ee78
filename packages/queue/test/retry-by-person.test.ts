import { beforeAll, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { retryByPerson } from '@passport/queue/events';
import { backlogKey } from '@passport/queue/keys';
import { type Ledger, openLedger } from '@passport/queue/ledger';
import { addScans } from '@passport/queue/scans';
import { readOutcomeCounts, statisticsOf } from '@passport/queue/statistics';
import { NOON, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
let ledger: Ledger;
beforeAll(async () => {
  ledger = openLedger(fixture.redis);
});

const JOB = 'riverside.evt_1';
const HOURS_LATER = NOON + 5 * 3_600_000;
const failedData = (): JobData => {
  const queued = jobData();
  const problem = { library: 'midland', what: 'credentials', name: null } as const;
  return {
    ...queued,
    progress: { ...queued.progress, seq: 7, state: 'failed', outcome: 'MISCONFIGURED', problem, attempt: 3 },
  };
};
const retry = (nowMs = HOURS_LATER) => retryByPerson(fixture.queue, ledger, JOB, nowMs);

async function addJob(data: JobData = failedData()): Promise<void> {
  await addScans(fixture.queue, [{ job: data, priority: 5 }]);
}

async function failIt(): Promise<void> {
  await fixture.mover.fail(await fixture.mover.take());
}

describe('a retry by a person', () => {
  test('a failed event runs again with its attempts anew, also hours later', async () => {
    await addJob();
    await failIt();

    expect(await retry()).toEqual({ kind: 'retried' });

    const job = await fixture.mover.take();
    expect({ made: job.attemptsMade, started: job.attemptsStarted }).toEqual({ made: 0, started: 1 });
    expect(job.data).toMatchObject({
      retried: { at_ms: HOURS_LATER, stalled: 0 },
      received_ms: NOON,
      progress: { seq: 9, state: 'queued', outcome: null, problem: null, attempt: 0 },
    });
    await fixture.mover.complete(job);
  });

  test('a second failure is not the last one', async () => {
    await addJob();
    await failIt();
    await retry();
    await failIt();

    expect(await retry(HOURS_LATER + 1)).toEqual({ kind: 'retried' });
    expect(await fixture.queue.getJobCountByTypes('failed')).toBe(0);
  });

  test('the event counts as unfinished again', async () => {
    await addJob();
    await failIt();
    await retry();

    expect(await fixture.redis.zscore(backlogKey('riverside'), 'evt_1')).toBe(String(HOURS_LATER));
  });

  test('the outcomes of the day count the event once, by its last end', async () => {
    await addJob();
    const failed = failedData();
    const { progress } = failed;
    const end = (outcome: 'MISCONFIGURED' | 'COPIED') =>
      ledger.settle('riverside', 'evt_1', outcome, progress.updated_at, {
        used: 'none',
        statistics: statisticsOf({ progress: { ...progress, outcome } }),
      });
    await fixture.redis.zadd(backlogKey('riverside'), NOON, 'evt_1');
    await end('MISCONFIGURED');
    await failIt();
    await retry();
    await end('COPIED');

    const counts = await readOutcomeCounts(fixture.redis, Date.parse(progress.updated_at));
    expect(counts.map(({ outcome, count }) => [outcome, count])).toEqual([['COPIED', 1]]);
  });

  test('of two persons at the same moment one retries, the other learns that it runs', async () => {
    for (let round = 0; round < 10; round += 1) {
      await fixture.clear();
      await addJob();
      await failIt();

      const kinds = (await Promise.all([retry(), retry()])).map(({ kind }) => kind);

      expect(kinds).toHaveLength(2);
      expect(new Set(kinds)).toEqual(new Set(['retried', 'not_failed']));
    }
  });

  test('a retry that comes too late leaves the data of the end alone', async () => {
    await addJob();
    await failIt();
    const slowLedger: Ledger = {
      ...ledger,
      async reopen(event, before, after, nowMs) {
        await retry();
        const job = await fixture.mover.take();
        await job.updateData({ ...job.data, encrypted_card: null, encrypted_item: null });
        await fixture.mover.complete(job);
        return ledger.reopen(event, before, after, nowMs);
      },
    };

    const late = await retryByPerson(fixture.queue, slowLedger, JOB, HOURS_LATER);

    expect(late).toMatchObject({ kind: 'not_failed', state: 'completed' });
    expect((await fixture.queue.getJob(JOB))?.data).toMatchObject({
      encrypted_card: null,
      encrypted_item: null,
    });
  });

  test('a job that is no longer failed is not readied, though its data are as they were read', async () => {
    await addJob();
    const later = { ...failedData(), branch: 'EAST' };

    expect(await ledger.reopen(failedData(), failedData(), later, HOURS_LATER)).toBe(false);
    expect((await fixture.queue.getJob(JOB))?.data.branch).toBe('MAIN');
    expect(await fixture.redis.zcard(backlogKey('riverside'))).toBe(0);
  });

  test('an event that lost its late item meanwhile is retried without it', async () => {
    await addJob();
    await failIt();
    let looks = 0;
    const besideSweep: Ledger = {
      ...ledger,
      async reopen(event, before, after, nowMs) {
        looks += 1;
        const job = await fixture.queue.getJob(JOB);
        if (looks === 1) await job?.updateData({ ...failedData(), encrypted_item: null });
        return ledger.reopen(event, before, after, nowMs);
      },
    };

    expect(await retryByPerson(fixture.queue, besideSweep, JOB, HOURS_LATER)).toEqual({ kind: 'retried' });
    expect((await fixture.queue.getJob(JOB))?.data.encrypted_item).toBeNull();
  });

  test('of an event that succeeded the answer says so, and nothing is done', async () => {
    const done = failedData();
    await addJob({ ...done, progress: { ...done.progress, state: 'done', outcome: 'COPIED' } });
    await fixture.mover.complete(await fixture.mover.take());

    expect(await retry()).toEqual({ kind: 'not_failed', state: 'completed', outcome: 'COPIED' });
    expect(await fixture.queue.getJobCounts('completed', 'prioritized', 'wait')).toEqual({
      completed: 1,
      prioritized: 0,
      wait: 0,
    });
  });

  test('an event that is waiting or being worked on is left alone', async () => {
    await addJob(jobData());
    const waiting = await retry();
    const job = await fixture.mover.take();
    const active = await retry();
    await fixture.mover.complete(job);

    expect([waiting, active]).toEqual([
      { kind: 'not_failed', state: 'prioritized', outcome: null },
      { kind: 'not_failed', state: 'active', outcome: null },
    ]);
  });

  test('an event that nobody knows is unknown', async () => {
    expect(await retry()).toEqual({ kind: 'unknown' });
  });

  test('an event without its card cannot be retried', async () => {
    await addJob({ ...failedData(), encrypted_card: null });
    await failIt();

    expect(await retry()).toEqual({ kind: 'unreadable' });
    expect(await fixture.queue.getJobCountByTypes('failed')).toBe(1);
  });

  test('a payload that cannot be read is named so, whatever state it is in', async () => {
    await addJob({ ...failedData(), branch: 7 as unknown as string });
    expect(await retry()).toEqual({ kind: 'not_failed', state: 'prioritized', outcome: null });
    await failIt();

    expect(await retry()).toEqual({ kind: 'unreadable' });
  });
});
