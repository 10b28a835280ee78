import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openActKeeper } from '@passport/queue/audit';
import { auditedLog, localParts, localTime } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import {
  type DashboardFixture,
  OPERATOR,
  SCOPED,
  VIEWER,
  openDashboardFixture,
} from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
beforeEach(() => fixture.clear());
afterAll(() => fixture.close());

const openKeeper = (everyMs = 60_000) =>
  openActKeeper({
    redis: fixture.redis,
    source: 'cli',
    everyMs,
    monotonicNow: () => performance.now(),
    onLost: () => undefined,
  });
async function redisMs(): Promise<number> {
  const [seconds, micros] = await fixture.redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
async function keep(...lines: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  for (const line of lines) {
    const keeper = openKeeper();
    keeper.keep({ by: 'olga', ...line });
    await keeper.close(1_000);
    // Those of one millisecond, by several accounts, are in no order.
    const at = await redisMs();
    await waitFor('another time', async () => (await redisMs()) > at, { everyMs: 2 });
  }
}
const get = async (url: string, as: typeof OPERATOR | typeof SCOPED | typeof VIEWER = OPERATOR) => {
  const answer = await fixture.request({ url, as });
  return { status: answer.statusCode, body: answer.body.replaceAll(/\s+/g, ' '), headers: answer.headers };
};
/** The accounts and acts of the rows. */
const rowsIn = (body: string): string[] =>
  [...body.matchAll(/data-label="Who"> ?(.*?)<\/td> ?<td data-label="What"> ?(.*?)<\/td>/g)].map(
    ([, who = '', what = '']) =>
      [who, what]
        .map((text) => text.replaceAll(/<span.*?<\/span>|<a .*?<\/a>|<\/?div>/g, '').trim())
        .join(' '),
  );

describe('the audit page', () => {
  test('shows who did what, where and with which result, the newest first', async () => {
    const eventId = await fixture.put({ state: 'failed', outcome: 'MISCONFIGURED' });
    await keep(
      {
        action: 'pause',
        library: 'midland',
        as: ['home'],
        until: '2026-11-30T00:48:59.668Z',
        because: 'Koha <upgrade>',
      },
      { action: 'retry', lending: 'riverside', event: eventId, result: 'retried' },
      { action: 'reload', by: 'root', config: 'abcdef' },
    );
    const { status, body } = await get('/audit');
    expect(status).toBe(200);
    expect(rowsIn(body)).toEqual(['root reload', 'olga retry', 'olga pause']);
    expect(body).toContain('Midland Public Library');
    expect(body).toContain(
      `until ${localTime(Date.parse('2026-11-30T00:48:59.668Z'))}, because Koha &lt;upgrade&gt;`,
    );
    expect(body).not.toContain('Times are in UTC');
    expect(body).toContain(`href="/events/riverside/${eventId}"`);
    expect(body).toContain('<a href="/audit" aria-current="page">Audit</a>');
  });

  test('is filtered by library, account, act and time', async () => {
    await keep(
      { action: 'pause', library: 'midland' },
      { action: 'retry', by: 'root', lending: 'riverside', event: 'evt_1' },
    );
    const minute = (ms: number): string => {
      const { day, time } = localParts(Date.now() + ms);
      return `${day}T${time.slice(0, 5)}`;
    };
    const shown = async (query: string) => rowsIn((await get(`/audit?${query}`)).body);
    expect(await shown('library=midland')).toEqual(['olga pause']);
    expect(await shown('by=root')).toEqual(['root retry']);
    expect(await shown('act=pause')).toEqual(['olga pause']);
    expect(await shown(`from=${minute(-60_000)}&until=${minute(60_000)}`)).toHaveLength(2);
    expect(await shown(`from=${minute(120_000)}`)).toEqual([]);
    expect(await shown(`until=${minute(-120_000)}`)).toEqual([]);
  });

  test.each([
    ['library=nowhere', 'library is no library'],
    ['act=sing', 'act is none of retry'],
    ['from=yesterday', 'from is no time'],
    ['by=olga&by=root', 'by is there more than once'],
    ['after=guess', 'after is no place in this list'],
    [`by=${'x'.repeat(201)}`, 'by is too long'],
  ])('says what is wrong with ?%s', async (query, problem) => {
    const { status, body } = await get(`/audit?${query}`);
    expect([status, body]).toEqual([400, expect.stringContaining(problem)]);
    const download = await get(`/audit.csv?${query}`);
    expect([download.status, download.body]).toEqual([400, expect.stringContaining(problem)]);
  });

  test('has pages that lead to one another, and downloads of all of them, with the filter', async () => {
    const keeper = openKeeper();
    for (let n = 0; n < 60; n += 1)
      keeper.keep({ action: 'retry', by: 'olga', lending: 'riverside', event: `evt_${n}` });
    keeper.keep({ action: 'reload', by: 'root' });
    await keeper.close(1_000);
    const first = (await get('/audit?by=olga')).body;
    expect(rowsIn(first)).toHaveLength(50);
    const [, older = ''] = /href="([^"]+)">Older</.exec(first) ?? [];
    const second = (await get(older.replaceAll('&amp;', '&'))).body;
    expect(rowsIn(second)).toHaveLength(10);
    expect(second).not.toContain('>Older<');
    const [, csvPath = ''] = /href="([^"]+)">Download as CSV</.exec(first) ?? [];
    const csv = await fixture.request({ url: csvPath.replaceAll('&amp;', '&') });
    expect(csv.body.trim().split('\r\n')).toHaveLength(61);
    expect(csv.headers['content-disposition']).toBe('attachment; filename="passport-audit.csv"');
    const json = (await fixture.request({ url: '/audit.json' })).json<{ acts: { by: string }[] }>();
    expect(json.acts).toHaveLength(61);
    expect(json.acts.some(({ by }) => by === 'root')).toBe(true);
  });

  test('shows a user of some libraries what was done there, and answers 404 for others', async () => {
    await keep(
      { action: 'pause', library: 'riverside' },
      { action: 'pause', library: 'lakeside' },
      { action: 'erase', lending: ['lakeside', 'riverside'], result: 'done' },
      { action: 'reload' },
    );
    const { body } = await get('/audit', SCOPED);
    expect(rowsIn(body)).toEqual(['olga erase', 'olga pause']);
    expect(body).not.toMatch(/lakeside/i);
    for (const suffix of ['', '.csv', '.json'])
      for (const query of ['library=lakeside', 'library=nowhere', 'library=riverside&library=lakeside'])
        expect((await get(`/audit${suffix}?${query}`, SCOPED)).status).toBe(404);
    expect(rowsIn((await get('/audit', VIEWER)).body)).toHaveLength(4);
  });
});

test('what a user does on a page, and a password that was wrong, are in the audit, whatever is logged', async () => {
  const keeper = openKeeper(20);
  const log = auditedLog(fixture.log, keeper.keep);
  await fixture.request({ url: '/', as: null }); // nobody: no password, no line
  const wrong = `Basic ${Buffer.from('olga:guessed-by-a-stranger').toString('base64')}`;
  const app = fixture.build({ log });
  await app.inject({ url: '/', headers: { authorization: wrong } });
  await app.close();
  await waitFor('the refusal', async () => rowsIn((await get('/audit')).body).length === 1);
  const { body } = await get('/audit');
  expect(rowsIn(body)).toEqual(['olga login']);
  expect(body).toContain('<code>wrong</code>');
  expect(body).not.toMatch(/guessed|127\.0\.0\.1/);
  await keeper.close(1_000);
});

test('a page is answered at once and its line is logged while Redis takes nothing', async () => {
  const keeper = openKeeper(20);
  const log = auditedLog(fixture.log, keeper.keep);
  const app = fixture.build({ log });
  const wrong = `Basic ${Buffer.from('olga:guessed').toString('base64')}`;
  await fixture.server.call('CLIENT', 'PAUSE', '2000', 'ALL');
  let redisTakes = false;
  const taken = fixture.redis.ping().then(() => (redisTakes = true));
  const answer = await app.inject({ url: '/', headers: { authorization: wrong } });
  expect(redisTakes).toBe(false);
  expect(answer.statusCode).toBe(401);
  expect(fixture.lines()).toMatchObject([{ audit: true, action: 'login', by: 'olga', result: 'wrong' }]);
  await app.close();
  await taken;
  await waitFor('the refusal', async () => rowsIn((await get('/audit')).body).length === 1);
  await keeper.close(1_000);
}, 20_000);
