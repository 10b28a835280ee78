import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  TELLINGS,
  countParkedReports,
  type TellJobs,
  openTellQueue,
  parkReport,
  parkedLibraries,
  tellLater,
  tellingSchema,
  wakeParked,
} from '@passport/queue';
import { NOON, type QueueFixture, openQueueFixture } from './queue-fixture.ts';

let fixture: QueueFixture;
let queue: TellJobs;
beforeAll(async () => {
  fixture = await openQueueFixture();
  queue = openTellQueue(fixture.redis);
});
afterEach(() => fixture.clear());
afterAll(async () => {
  await queue.close();
  await fixture.close();
});

const telling = { library: 'riverside', event_id: 'evt_1', since_ms: NOON };

describe('reports that a Koha did not take at once', () => {
  test('each state of an event waits once, a later state beside it', async () => {
    await tellLater(queue, telling, 3, 0);
    await tellLater(queue, telling, 3, 0);
    await tellLater(queue, telling, 5, 0);

    const jobs = await queue.getJobs(['delayed']);
    expect(jobs).toHaveLength(2);
    expect(new Set(jobs.map(({ id }) => id))).toEqual(
      new Set(['riverside.evt_1-tell-3', 'riverside.evt_1-tell-5']),
    );
  });

  test('a report holds which event to tell of, and nothing else', async () => {
    await tellLater(queue, telling, 3, 0);

    const [job] = await queue.getJobs(['delayed']);
    expect(job?.data).toEqual(telling);
    expect(tellingSchema.parse(job?.data)).toEqual(telling);
  });

  test('reports that wait for a plugin wake when it is back, and no scans with them', async () => {
    await tellLater(queue, telling, 3, 0);
    await parkReport(fixture.redis, 'riverside', 'riverside.evt_1-tell-3');
    expect(await parkedLibraries(fixture.redis, TELLINGS)).toEqual(['riverside']);
    expect(await parkedLibraries(fixture.redis)).toEqual([]);

    expect(await wakeParked(fixture.redis, fixture.queue, 'riverside')).toBe(0);
    expect(await wakeParked(fixture.redis, queue, 'riverside')).toBe(1);
    expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(1);
    await wakeParked(fixture.redis, queue, 'riverside');
    expect(await parkedLibraries(fixture.redis, TELLINGS)).toEqual([]);
  });

  test('the report of a library of which many wait comes after those of others', async () => {
    for (let n = 1; n <= 3; n += 1) await parkReport(fixture.redis, 'riverside', `job_${n}`);
    const before = await countParkedReports(fixture.redis, 'riverside');
    await tellLater(queue, telling, 3, before);
    await tellLater(
      queue,
      { ...telling, library: 'lakeside' },
      3,
      await countParkedReports(fixture.redis, 'lakeside'),
    );
    for (const job of await queue.getJobs(['delayed'])) await job.promote();

    const inOrder = await queue.getRanges(['prioritized'], 0, -1, true);
    expect(inOrder).toEqual(['lakeside.evt_1-tell-3', 'riverside.evt_1-tell-3']);
  });

  test('a library of which ten thousand wait gets no more', async () => {
    expect(await tellLater(queue, telling, 3, 9_999)).toBe(true);
    expect(await tellLater(queue, telling, 4, 10_000)).toBe(false);

    expect(await queue.getJobCountByTypes('delayed')).toBe(1);
  });

  test('reports are no scans', async () => {
    await tellLater(queue, telling, 3, 0);

    expect(await fixture.queue.getJobCountByTypes('delayed')).toBe(0);
  });
});
