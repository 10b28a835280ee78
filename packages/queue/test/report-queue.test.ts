import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  countDelayedReports,
  noteDelayedReport,
  librariesWithDelayed,
  promoteDelayed,
} from '@passport/queue/delays';
import { REPORTS } from '@passport/queue/keys';
import { type ReportJobs, openReportQueue, queueReport, reportSchema } from '@passport/queue/reports';
import { NOON, type QueueFixture, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
let queue: ReportJobs;
beforeAll(async () => {
  fixture = await openQueueFixture();
  queue = openReportQueue(fixture.redis);
});
afterEach(() => fixture.clear());
afterAll(async () => {
  await queue.close();
  await fixture.close();
});

const report = { library: 'riverside', event_id: 'evt_1', since_ms: NOON };

describe('reports that a Koha did not take at once', () => {
  test('each state of an event waits once, a later state beside it', async () => {
    await queueReport(queue, report, 3, 0);
    await queueReport(queue, report, 3, 0);
    await queueReport(queue, report, 5, 0);

    const jobs = await queue.getJobs(['delayed']);
    expect(jobs).toHaveLength(2);
    expect(new Set(jobs.map(({ id }) => id))).toEqual(
      new Set(['riverside.evt_1-report-3', 'riverside.evt_1-report-5']),
    );
  });

  test('a report names its event, and nothing else', async () => {
    await queueReport(queue, report, 3, 0);

    const [job] = await queue.getJobs(['delayed']);
    expect(job?.data).toEqual(report);
    expect(reportSchema.parse(job?.data)).toEqual(report);
  });

  test('reports that wait for a plugin are promoted when it is back, and no scans with them', async () => {
    await queueReport(queue, report, 3, 0);
    await noteDelayedReport(fixture.redis, 'riverside', 'riverside.evt_1-report-3');
    expect(await librariesWithDelayed(fixture.redis, REPORTS)).toEqual(['riverside']);
    expect(await librariesWithDelayed(fixture.redis)).toEqual([]);

    expect(await promoteDelayed(fixture.redis, fixture.queue, 'riverside')).toBe(0);
    expect(await promoteDelayed(fixture.redis, queue, 'riverside')).toBe(1);
    expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(1);
    await promoteDelayed(fixture.redis, queue, 'riverside');
    expect(await librariesWithDelayed(fixture.redis, REPORTS)).toEqual([]);
  });

  test('the report of a library of which many wait comes after those of others', async () => {
    for (let n = 1; n <= 3; n += 1) await noteDelayedReport(fixture.redis, 'riverside', `job_${n}`);
    const before = await countDelayedReports(fixture.redis, 'riverside');
    await queueReport(queue, report, 3, before);
    await queueReport(
      queue,
      { ...report, library: 'lakeside' },
      3,
      await countDelayedReports(fixture.redis, 'lakeside'),
    );
    for (const job of await queue.getJobs(['delayed'])) await job.promote();

    const inOrder = await queue.getRanges(['prioritized'], 0, -1, true);
    expect(inOrder).toEqual(['lakeside.evt_1-report-3', 'riverside.evt_1-report-3']);
  });

  test('a library of which ten thousand wait gets no more', async () => {
    expect(await queueReport(queue, report, 3, 9_999)).toBe(true);
    expect(await queueReport(queue, report, 4, 10_000)).toBe(false);

    expect(await queue.getJobCountByTypes('delayed')).toBe(1);
  });

  test('reports are no scans', async () => {
    await queueReport(queue, report, 3, 0);

    expect(await fixture.queue.getJobCountByTypes('delayed')).toBe(0);
  });
});
