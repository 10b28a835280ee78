import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { queueReport } from '@passport/queue/reports';
import type { ScanJobs } from '@passport/queue/scans';
import type { Redis } from '@passport/runtime';
import { type DashboardFixture, VIEWER, injectOnce, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

interface Shown {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly readOnlyMode: boolean;
  readonly jobs: readonly { readonly name: string; readonly data: unknown; readonly externalUrl: unknown }[];
}
async function queues(active: string, as?: typeof VIEWER): Promise<readonly Shown[]> {
  const url = `/board/api/queues?activeQueue=${active}&status=latest`;
  const answer = await fixture.request(as === undefined ? { url } : { url, as });
  return answer.json<{ queues: Shown[] }>().queues;
}

describe('the queue of reports', () => {
  const report = { library: 'riverside', event_id: 'evt_1', since_ms: Date.parse('2026-11-25T12:00:00Z') };

  test('is on the board beside the scans: of which event, and since when', async () => {
    await queueReport(fixture.reportQueue, report, 3, 0);
    const shown = await queues('reports');
    expect(shown.map(({ name }) => name)).toEqual(['scans', 'reports']);
    expect(shown[1]?.counts['delayed']).toBe(1);
    expect(shown[1]?.jobs).toEqual([
      expect.objectContaining({
        name: 'riverside: report of evt_1',
        data: { library: 'riverside', event_id: 'evt_1', waits_since: '2026-11-25T12:00:00.000Z' },
        externalUrl: { displayText: 'What happened', href: '/events/riverside/evt_1' },
      }),
    ]);
  });

  test('has buttons for nobody, and nothing can be changed in it', async () => {
    await queueReport(fixture.reportQueue, report, 3, 0);
    for (const as of [undefined, VIEWER]) expect((await queues('reports', as))[1]?.readOnlyMode).toBe(true);
    for (const act of ['retry', 'promote', 'clean']) {
      const url = `/board/api/queues/reports/riverside.evt_1-report-3/${act}`;
      expect((await fixture.request({ method: 'PUT', url })).statusCode).toBe(403);
    }
    expect(await fixture.reportQueue.getJobCounts('delayed')).toEqual({ delayed: 1 });
  });

  test('shows a report that cannot be read as such, and nothing of it', async () => {
    await fixture.reportQueue.add('riverside', { secret: 'planted' } as never, { priority: 1 });
    const text = JSON.stringify(await queues('reports'));
    expect(text).toContain('riverside: cannot be read');
    expect(text).not.toContain('planted');
  });
});

describe('while Redis is away', () => {
  const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
  const build = () => {
    const failing = () => Promise.reject(away);
    const queue = Object.assign(Object.create(fixture.queue) as ScanJobs, { getJobCounts: failing });
    const redis = Object.assign(Object.create(fixture.redis) as Redis, { ping: failing });
    return fixture.build({ queue, redis });
  };

  test.each(['/board/', '/board/queue/scans', '/board/queue/reports'])(
    '%s says so instead of loading for ever, and comes back by itself',
    async (url) => {
      const { statusCode, body } = await injectOnce(build(), { url });
      expect(statusCode).toBe(503);
      expect(body).toContain('The queue does not answer');
      expect(body).toContain('http-equiv="refresh"');
      expect((await fixture.request({ url })).statusCode).toBe(200);
    },
  );

  test('a board that is open says so, too, and nothing of where Redis is', async () => {
    const { statusCode, body } = await injectOnce(build(), { url: '/board/api/queues' });
    expect([statusCode, JSON.parse(body)]).toEqual([
      503,
      { error: { key: 'Redis does not answer, the queue cannot be shown' } },
    ]);
  });

  test('its style sheets and scripts are there', async () => {
    const page = (await fixture.request({ url: '/board/' })).body;
    const [, script = ''] = /src="([^"]+\.js)"/.exec(page) ?? [];
    const url = script.startsWith('/') ? script : `/board/${script}`;
    expect((await injectOnce(build(), { url })).statusCode).toBe(200);
  });

  test('a ping that gets no answer counts as away', async () => {
    const silent = { ping: () => new Promise(() => undefined) };
    const redis = Object.assign(Object.create(fixture.redis) as Redis, silent);
    expect((await injectOnce(fixture.build({ redis }), { url: '/board/' })).statusCode).toBe(503);
  });
});

test('a bug behind the board is for the log, not for whoever looks', async () => {
  const bug = (): never => {
    throw new TypeError('undefined is not a queue');
  };
  const queue = Object.assign(Object.create(fixture.queue) as ScanJobs, { getJobCounts: bug });
  const { statusCode, body } = await injectOnce(fixture.build({ queue }), { url: '/board/api/queues' });
  expect([statusCode, JSON.parse(body)]).toEqual([500, { error: { key: 'ERRORS.INTERNAL_SERVER_ERROR' } }]);
  expect(JSON.stringify(fixture.lines())).toContain('undefined is not a queue');
});
