import { describe, expect, jest, test } from '@jest/globals';
import { buildAdmission } from '@passport/queue/admission';
import { noteDelayedReport } from '@passport/queue/delays';
import { retryByPerson } from '@passport/queue/events';
import { openLedger } from '@passport/queue/ledger';
import { openReportQueue, queueReport } from '@passport/queue/reports';
import { buildKeptSweep, readKept } from '@passport/queue/retention';
import { addScans } from '@passport/queue/scans';
import { event, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const DAY_MS = 24 * 3_600_000;
const AGES = { finished: DAY_MS, failed: 7 * DAY_MS };
const ENDED = Date.parse('2026-11-25T12:00:00Z');
const limits = { keptFinished: 3, keptFailed: 2 };

/** Ends `count` events of a library, one a second, oldest first; the ids are its own. */
async function endEvents(kind: 'finished' | 'failed', count: number, library = 'riverside'): Promise<void> {
  const ledger = openLedger(fixture.redis);
  for (let n = 1; n <= count; n += 1) {
    const eventId = `${kind}_${n}`;
    const outcome = kind === 'failed' ? ('TOO_LATE' as const) : ('NOT_A_CARD' as const);
    const progress = {
      ...jobData().progress,
      state: kind === 'failed' ? 'failed' : 'done',
      outcome,
    } as const;
    await addScans(fixture.queue, [{ job: jobData({ library, event_id: eventId, progress }), priority: 1 }]);
    const at = new Date(ENDED + n * 1_000).toISOString();
    await ledger.settle(library, eventId, outcome, at, { used: 'none' });
    const job = await fixture.mover.take();
    await (kind === 'failed' ? fixture.mover.fail(job) : fixture.mover.complete(job));
  }
}

const ids = async (state: 'completed' | 'failed'): Promise<string[]> =>
  (await fixture.queue.getJobs([state], 0, -1, true)).map(({ data }) => `${data.library}.${data.event_id}`);

async function sweep(nowMs = ENDED + 60_000): Promise<Record<string, number>> {
  const dropped: Record<string, number> = {};
  const run = buildKeptSweep(fixture.redis, fixture.queue, (library, kind, count) => {
    dropped[`${library} ${kind}`] = count;
  });
  await run(
    [
      { id: 'riverside', limits },
      { id: 'lakeside', limits },
    ],
    AGES,
    nowMs,
  );
  return dropped;
}

describe('the ended events of a library', () => {
  test('are kept by number: the oldest finished ones go, of this library alone', async () => {
    await endEvents('finished', 5);
    await endEvents('finished', 2, 'lakeside');

    expect(await sweep()).toEqual({ 'riverside finished': 2 });
    expect((await ids('completed')).toSorted()).toEqual([
      'lakeside.finished_1',
      'lakeside.finished_2',
      'riverside.finished_3',
      'riverside.finished_4',
      'riverside.finished_5',
    ]);
  });

  test('that failed are counted apart, and the newest stay for a person', async () => {
    await endEvents('finished', 3);
    await endEvents('failed', 4);

    expect(await sweep()).toEqual({ 'riverside failed': 2 });
    expect((await ids('failed')).toSorted()).toEqual(['riverside.failed_3', 'riverside.failed_4']);
    expect(await ids('completed')).toHaveLength(3);
  });

  test('and a failed one that a person retries is no longer counted, nor taken away', async () => {
    await endEvents('failed', 3);
    await retryByPerson(fixture.queue, openLedger(fixture.redis), 'riverside.failed_1', ENDED);

    expect(await sweep()).toEqual({});
    expect((await fixture.queue.getJob('riverside.failed_1'))?.id).toBe('riverside.failed_1');
  });

  test('that went by their age are not counted any more', async () => {
    await endEvents('finished', 3);
    await sweep(ENDED + 2_000 + DAY_MS);

    expect(await readKept(fixture.redis, ['riverside'])).toMatchObject({ riverside: { finished: 1 } });
  });

  test('and one that somebody discards is not counted', async () => {
    await endEvents('failed', 1);
    await openLedger(fixture.redis).strikeOut('riverside', 'failed_1');

    expect(await readKept(fixture.redis, ['riverside'])).toMatchObject({ riverside: { failed: 0 } });
  });

  test('stay known to admission when they are gone: a redelivery does not run again', async () => {
    const admit = buildAdmission(fixture.redis);
    await admit([event(1)]);
    await addScans(fixture.queue, [{ job: jobData({ event_id: 'evt_1' }), priority: 1 }]);
    await openLedger(fixture.redis).settle(
      'riverside',
      'evt_1',
      'NOT_A_CARD',
      new Date(ENDED).toISOString(),
      { used: 'none' },
    );
    await fixture.mover.complete(await fixture.mover.take());
    await fixture.queue.remove('riverside.evt_1');

    expect(await admit([event(1)])).toMatchObject([{ kind: 'duplicate', add: false }]);
  });
});

test('of a thousand libraries with nothing to remove, a sweep needs ten commands', async () => {
  const libraries = Array.from({ length: 1_000 }, (_, place) => ({ id: `library-${place}`, limits }));
  const run = buildKeptSweep(fixture.redis, fixture.queue, () => undefined);
  await run(libraries, AGES, ENDED);
  const sent = jest.spyOn(fixture.redis, 'sendCommand');
  await run(libraries, AGES, ENDED);

  expect(sent).toHaveBeenCalledTimes(10);
  sent.mockRestore();
});

describe('what a library has in Redis', () => {
  test('is reported for each, in events and about as many bytes as its jobs take', async () => {
    await endEvents('finished', 100);
    let jobs = 0;
    for (const key of await fixture.redis.keys('{passport}:scans:riverside.*')) {
      jobs += Number(await fixture.server.call('MEMORY', 'USAGE', key));
    }

    const { riverside, lakeside } = await readKept(fixture.redis, ['riverside', 'lakeside']);

    expect(lakeside).toEqual({ finished: 0, failed: 0, unfinished: 0, remembered: 0, bytes: 0 });
    expect(riverside).toMatchObject({ finished: 100, failed: 0, unfinished: 0 });
    expect(riverside?.bytes).toBeGreaterThan(jobs);
    expect(riverside?.bytes).toBeLessThan(jobs * 1.4);
  });

  test('is more by the reports that it makes and does not take', async () => {
    const reports = openReportQueue(fixture.redis);
    const usedBytes = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(await fixture.redis.info('memory'))?.[1]);
    const before = await usedBytes();
    for (let n = 1; n <= 1_000; n += 1) {
      const eventId = `evt_${n}_${'x'.repeat(24)}`;
      await queueReport(reports, { library: 'riverside', event_id: eventId, since_ms: ENDED }, 3, n);
      await noteDelayedReport(fixture.redis, 'riverside', `riverside.${eventId}-report-3`);
    }
    const grownBytes = (await usedBytes()) - before;

    const { riverside } = await readKept(fixture.redis, ['riverside']);

    expect(riverside?.bytes).toBeGreaterThan(grownBytes * 0.7);
    expect(riverside?.bytes).toBeLessThan(grownBytes * 1.4);
    await reports.close();
  });

  test('is reported for the others where one library’s keys have values that are not ours', async () => {
    await endEvents('finished', 2);
    await fixture.server.call('SET', '{passport}:kept:finished:lakeside', 'garbage');

    const kept = await readKept(fixture.redis, ['lakeside', 'riverside']);

    expect(kept).toMatchObject({ lakeside: { finished: 0 }, riverside: { finished: 2 } });
  });
});

describe('the ids that are remembered of a library', () => {
  const few = { eventsPerSecond: 10_000, burst: 10_000, backlog: 10_000, remembered: 5 };
  const records = async (library: string): Promise<number> =>
    (await fixture.redis.keys(`{passport}:idempotency:${library}.*`)).length;

  test('are so many: the oldest are forgotten, of this library alone', async () => {
    const admit = buildAdmission(fixture.redis);
    await admit([event(1, { library: 'lakeside', limits: few })]);
    for (let n = 1; n <= 12; n += 1) await admit([event(n, { limits: few })]);

    expect({ riverside: await records('riverside'), lakeside: await records('lakeside') }).toEqual({
      riverside: 5,
      lakeside: 1,
    });
    const [oldest, newest] = await admit([event(1, { limits: few }), event(12, { limits: few })]);
    expect([oldest?.kind, newest?.kind]).toEqual(['new', 'duplicate']);
  });

  test('do not run again while their job is there, though they are forgotten', async () => {
    const admit = buildAdmission(fixture.redis);
    await admit([event(1, { limits: few })]);
    await addScans(fixture.queue, [{ job: jobData({ event_id: 'evt_1' }), priority: 1 }]);
    for (let n = 2; n <= 8; n += 1) await admit([event(n, { limits: few })]);

    expect(await admit([event(1, { limits: few })])).toMatchObject([{ kind: 'duplicate', add: false }]);
  });

  test('the list of a quiet library goes with its idempotency keys', async () => {
    await buildAdmission(fixture.redis)([event(1)]);

    expect(Number(await fixture.server.call('TTL', '{passport}:remembered:riverside'))).toBeGreaterThan(
      79 * 3600,
    );
  });
});
