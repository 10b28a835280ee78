import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  CHECKOUT_RESULTS,
  ELIGIBILITY_REASONS,
  type JobData,
  OUTCOMES,
  type Outcome,
  type Progress,
} from '@passport/contract';
import { retryByPerson } from '@passport/queue/events';
import { type Ledger, openLedger } from '@passport/queue/ledger';
import { addScans } from '@passport/queue/scans';
import {
  lastMonths,
  monthsBetween,
  readStatistics,
  statisticsCsv,
  statisticsOf,
  sumStatistics,
} from '@passport/queue/statistics';
import { event, jobData, openAdmission, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
let ledger: Ledger;
beforeAll(async () => {
  ledger = openLedger(fixture.redis);
});

const NOVEMBER = '2026-11-25T12:00:00.000Z';
const MANY = { eventsPerSecond: 1000, burst: 1000, backlog: 1000, remembered: 100_000 };
const MONTH_SECONDS = 31 * 24 * 3600;
const FIVE_YEARS_SECONDS = 5 * 365 * 24 * 3600;

/** A job that ended so, at home in midland unless said otherwise. */
function ended(outcome: Outcome, change: Partial<Progress> = {}, job: Partial<JobData> = {}): JobData {
  const queued = jobData(job);
  const homes = [{ id: 'midland', name: 'Midland Public Library' }];
  return { ...queued, progress: { ...queued.progress, outcome, homes, updated_at: NOVEMBER, ...change } };
}

const OVERRIDDEN = {
  decided: [
    {
      question: 'OVERRIDE' as const,
      option: 'DOCUMENT_SEEN',
      home_key: 'midland:1',
      reasons: ['UNDER_AGE' as const],
      operator: 5,
      at: NOVEMBER,
    },
  ],
};

const settle = (job: JobData): Promise<void> => {
  const { outcome, updated_at: endedAt } = job.progress;
  if (outcome === null) throw new Error('the job has not ended');
  return ledger.settle(job.library, job.event_id, outcome, endedAt, {
    used: 'none',
    statistics: statisticsOf(job),
  });
};

/** Accepts and ends an event for each job. */
async function end(...jobs: readonly JobData[]): Promise<void> {
  for (const [index, job] of jobs.entries()) {
    const { library } = job;
    const eventId = job.event_id === 'evt_1' ? `evt_${library}_${index}` : job.event_id;
    await openAdmission(fixture)(event(index, { library, eventId, limits: MANY }));
    await settle({ ...job, event_id: eventId });
  }
}

const read = (months: readonly string[] = ['2026-11']) => readStatistics(fixture.redis, months);
const sums = async () => sumStatistics(await read(), [])[0];

describe('statistics', () => {
  test('count scans, copies, checkouts and refusals by code, by month, home and lending library', async () => {
    const checkedOut = { result: 'CHECKED_OUT' as const, keys: [] };
    await end(
      ended('COPIED', { checkout: checkedOut }),
      ended('COPIED', { checkout: { result: 'BLOCKED', keys: [] } }),
      ended('ALREADY_LOCAL', { checkout: checkedOut }, OVERRIDDEN),
      // refused all the same: by then there was another reason
      ended('NOT_ELIGIBLE', { reasons: ['EXPIRED', 'CARD_LOST'] }, OVERRIDDEN),
      ended('NOT_FOUND', { homes: [] }),
      ended('MISCONFIGURED'),
      ended('OBSERVED', { observed: { category: 'PT' } }),
      ended('COPIED', { updated_at: '2026-12-01T00:00:00.000Z' }),
      ended('COPIED', {}, { library: 'lakeside' }),
    );

    const rows = sumStatistics(await read(['2026-11', '2026-12']), ['month', 'home', 'lending']);

    const none = {
      alreadyLocal: 0,
      observed: 0,
      checkouts: 0,
      declined: 0,
      refusals: 0,
      failures: 0,
      byOutcome: {},
      byReason: {},
      byOverride: {},
    };
    const copied = { ...none, scans: 1, copies: 1 };
    expect(rows).toEqual([
      {
        month: '2026-11',
        home: '-',
        lending: 'riverside',
        ...none,
        scans: 1,
        copies: 0,
        refusals: 1,
        byOutcome: { NOT_FOUND: 1 },
      },
      { month: '2026-11', home: 'midland', lending: 'lakeside', ...copied },
      {
        month: '2026-11',
        home: 'midland',
        lending: 'riverside',
        scans: 6,
        copies: 2,
        alreadyLocal: 1,
        observed: 1,
        checkouts: 2,
        declined: 0,
        refusals: 1,
        failures: 1,
        byOutcome: { NOT_ELIGIBLE: 1, MISCONFIGURED: 1 },
        byReason: { EXPIRED: 1, CARD_LOST: 1 },
        byOverride: { DOCUMENT_SEEN: 1 },
      },
      { month: '2026-12', home: 'midland', lending: 'riverside', ...copied },
    ]);
  });

  test('count an event once, however often its end is written', async () => {
    const job = ended('COPIED', { checkout: { result: 'CHECKED_OUT', keys: [] } }, { event_id: 'evt_7' });
    await end(job);
    await settle(job);
    await settle(job);

    expect(await sums()).toMatchObject({ scans: 1, copies: 1, checkouts: 1 });
  });

  test('do not count an event that was never accepted, or that a person takes away unfinished', async () => {
    await settle(ended('COPIED'));
    await openAdmission(fixture)(event(2));
    await ledger.strikeOut('riverside', 'evt_2');

    expect(await read()).toEqual([]);
  });

  test('count an event that a person retries by its last end only, also when that is in another month', async () => {
    const failed = ended('HOME_UNREACHABLE', {}, { event_id: 'evt_5' });
    await end(failed);
    await addScans(fixture.queue, [{ job: failed, priority: 1 }]);
    await fixture.mover.fail(await fixture.mover.take());
    await end(ended('HOME_UNREACHABLE'));

    await retryByPerson(fixture.queue, ledger, 'riverside.evt_5', Date.parse(NOVEMBER));
    expect(await sums()).toMatchObject({ scans: 1, failures: 1 });

    await settle(ended('COPIED', { updated_at: '2026-12-01T08:00:00.000Z' }, { event_id: 'evt_5' }));
    expect(await sums()).toMatchObject({ scans: 1, copies: 0, failures: 1 });
    expect(sumStatistics(await read(['2026-12']), [])[0]).toMatchObject({ scans: 1, copies: 1 });
  });

  test('leave a count alone when an event is retried that was never counted', async () => {
    await end(ended('HOME_UNREACHABLE'));
    await addScans(fixture.queue, [
      { job: ended('HOME_UNREACHABLE', {}, { event_id: 'evt_5' }), priority: 1 },
    ]);
    await fixture.mover.fail(await fixture.mover.take());

    await retryByPerson(fixture.queue, ledger, 'riverside.evt_5', Date.parse(NOVEMBER));

    expect(await sums()).toMatchObject({ scans: 1, failures: 1 });
  });

  test('name no home where none or several were found', async () => {
    const several = ['midland', 'lakeside'].map((id) => ({ id, name: id }));
    await end(ended('AMBIGUOUS_HOME', { homes: several }), ended('NOT_A_CARD', { homes: [] }));

    expect(new Set((await read()).map(({ home }) => home))).toEqual(new Set(['-']));
  });

  test('take the month in UTC, whatever the offset of the time', () => {
    const job = ended('COPIED', { updated_at: '2026-12-01T00:30:00.000+02:00' });

    expect(statisticsOf(job)).toEqual({ month: '2026-11', counted: 'midland COPIED' });
  });

  test('are kept for five years from the end of their month', async () => {
    await end(ended('COPIED'));

    for (const key of ['{passport}:statistics:2026-11', '{passport}:statistics:2026-11:riverside']) {
      const life = Number(await fixture.server.call('TTL', key));
      expect(life).toBeGreaterThan(FIVE_YEARS_SECONDS + MONTH_SECONDS);
      expect(life).toBeLessThanOrEqual(FIVE_YEARS_SECONDS + MONTH_SECONDS + 5 * 24 * 3600);
    }
  });

  test('have a bounded size: homes beyond it are counted together, and no event is lost', async () => {
    const homes = Array.from({ length: 600 }, (_, n) => `home-with-an-id-of-forty-characters-${1000 + n}`);
    await end(...homes.map((id) => ended('LOOKS_LIKE_LOCAL_PATRON', { homes: [{ id, name: id }] })));
    await end(
      ended('LOOKS_LIKE_LOCAL_PATRON', { homes: [{ id: homes[0] ?? '', name: '' }] }, { event_id: 'x' }),
    );

    const key = '{passport}:statistics:2026-11:riverside';
    expect(await fixture.redis.hlen(key)).toBe(481);
    expect(await sums()).toMatchObject({ scans: 601, refusals: 601 });
    expect((await read()).find(({ home }) => home === '*')?.count).toBe(120);
    expect((await read()).find(({ home }) => home === homes[0])?.count).toBe(2);
    // Redis keeps a table of this size without an index, in a fraction of the memory.
    expect(await fixture.server.call('OBJECT', 'ENCODING', key)).toBe('listpack');
  });

  test('hold ids of libraries and codes, and nothing else of an event', async () => {
    await end(
      ended('NOT_ELIGIBLE', { reasons: ['EXPIRED'], patron_id: 812 }, { card_hash: 'kid:planted' }),
      ended('COPIED', { patron_id: 812, reasons: ['CARD_CHANGED'] }),
    );

    const table = await fixture.redis.hgetall('{passport}:statistics:2026-11:riverside');
    expect(table).toEqual({ 'midland NOT_ELIGIBLE': '1', 'midland EXPIRED': '1', 'midland COPIED': '1' });
  });

  test('leave out what a newer version counts and this one does not know', async () => {
    await end(ended('COPIED'));
    await fixture.redis.hset('{passport}:statistics:2026-11:riverside', 'midland SENT_BY_POST', 3);

    expect(await sums()).toMatchObject({ scans: 1 });
  });

  test('distinguish outcomes, checkouts and reasons by their codes', () => {
    const codes = [...OUTCOMES, ...ELIGIBILITY_REASONS, 'CHECKED_OUT'];

    expect(new Set(codes).size).toBe(codes.length);
    expect(CHECKOUT_RESULTS).toContain('CHECKED_OUT');
  });
});

describe('a listing of statistics', () => {
  test('as CSV has a column for every code, and the requested dimensions', async () => {
    await end(ended('COPIED'), ended('NOT_ELIGIBLE', { reasons: ['EXPIRED'] }));

    const [header = '', row = '', ...more] = statisticsCsv(sumStatistics(await read(), ['lending']), [
      'lending',
    ]);

    expect(more).toEqual([]);
    const names = header.split(',');
    const values = row.split(',');
    expect(names.slice(0, 3)).toEqual(['lending', 'scans', 'copies']);
    expect(values).toHaveLength(names.length);
    const cells = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    expect(cells).toMatchObject({
      lending: 'riverside',
      scans: '2',
      copies: '1',
      NOT_ELIGIBLE: '1',
      EXPIRED: '1',
    });
    expect(cells).toMatchObject({ NOT_FOUND: '0', RESTRICTED: '0' });
  });

  test('names its months across the end of a year', () => {
    expect(monthsBetween('2026-11', '2027-02')).toEqual(['2026-11', '2026-12', '2027-01', '2027-02']);
    expect(monthsBetween('2026-11', '2026-10')).toEqual([]);
    expect(lastMonths('2027-01', 3)).toEqual(['2026-11', '2026-12', '2027-01']);
  });

  test('sums everything up without a dimension, and is empty where nothing was counted', async () => {
    expect(sumStatistics(await read(), [])).toEqual([]);
    await end(ended('COPIED'), ended('COPIED', {}, { library: 'lakeside' }));

    expect(sumStatistics(await read(), [])).toMatchObject([{ scans: 2, copies: 2 }]);
  });
});
