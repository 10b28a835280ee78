import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openReceipts } from '@passport/queue/copies';
import { writeOwed } from '@passport/queue/sweeps';
import { type DashboardFixture, OPERATOR, SCOPED, basic, openDashboardFixture } from './dashboard-fixture.ts';

const DAY_MS = 86_400_000;
const MADE = Date.parse('2026-11-01T10:00:00.000Z');
const SIXTEEN = Array.from({ length: 16 }, (_, index) => 800 + index);

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterAll(() => fixture.close());

async function copy(home: string, patron: number, lending: string, patronId: number): Promise<void> {
  await openReceipts(fixture.redis).append(
    {
      home,
      lending,
      homeKey: `${home}:${patron}`,
      patronId,
      at: new Date(MADE).toISOString(),
      fields: ['surname', 'email'],
      eventId: `evt_${home}_${patron}_${lending}`,
    },
    MADE,
    400 * DAY_MS,
  );
}

/** Of riverside's patrons 16 have copies at midland, one of them at lakeside as well; of midland's and lakeside's 812, too. */
beforeEach(async () => {
  await fixture.clear();
  for (const [index, patron] of SIXTEEN.entries()) await copy('riverside', patron, 'midland', 40_000 + index);
  await copy('riverside', 812, 'lakeside', 50_001);
  await copy('midland', 700, 'riverside', 60_001);
  await copy('lakeside', 701, 'midland', 60_002);
  const row = { overdues: 2, amount: 40_000, over_since_ms: null, restricted: false };
  const reading = { read_ms: MADE + DAY_MS, rows: { 'riverside:812': row }, unconfirmed: 0 };
  await writeOwed(fixture.redis, 'midland', new Map([['riverside', reading]]));
});

const as = (url: string, who: typeof SCOPED | typeof OPERATOR = SCOPED) => fixture.request({ url, as: who });
const patronsIn = (body: string): number[] =>
  [...body.matchAll(/href="\/patrons\/riverside\/(\d+)"/g)].map(([, number]) => Number(number));

test('a home library sees its own 16 patrons, where they are, what went there, and the totals', async () => {
  const first = await as('/patrons');
  expect([...first.body.matchAll(/href="\/patrons\/([^"]+)"/g)].map(([, id]) => id)).toEqual(['riverside']);
  const { statusCode, body } = await as('/patrons/riverside');
  expect(statusCode).toBe(200);
  expect(new Set(patronsIn(body))).toEqual(new Set(SIXTEEN));
  expect(body).toContain('16 patrons, 17 copies');
  expect(body).toMatch(/<summary>2 fields<\/summary>\s*email, surname/);
  expect(body).toMatch(
    /Midland Public Library<\/th>\s*<td[^>]*>16<\/td>\s*<td[^>]*>2<\/td>\s*<td[^>]*>400\.00</,
  );
  expect(body).not.toMatch(/700|701|4000\d|50001/);
});

test('it is filtered by lending library and by what is owed, and is a CSV file', async () => {
  expect(patronsIn((await as('/patrons/riverside?lending=lakeside')).body)).toEqual([812]);
  expect(patronsIn((await as('/patrons/riverside?owed=owing')).body)).toEqual([812]);
  expect(patronsIn((await as('/patrons/riverside?owed=overdue&lending=lakeside')).body)).toEqual([]);
  const { body, headers } = await as('/patrons/riverside/patrons.csv?owed=overdue');
  expect(headers['content-disposition']).toContain('patrons-elsewhere-riverside.csv');
  expect(body).toBe(
    'patron_id,lending,since,last_passed_on,fields,overdues,amount,read_at\r\n' +
      '812,midland,2026-11-01T10:00:00.000Z,2026-11-01T10:00:00.000Z,email surname,2,400.00,2026-11-02T10:00:00.000Z\r\n',
  );
});

test('one patron is looked up by number', async () => {
  const found = await as('/patrons/riverside?patron=812');
  expect(found.headers.location).toBe('/patrons/riverside/812');
  const { body } = await as('/patrons/riverside/812');
  expect(body).toMatch(/<h2>Midland Public Library<\/h2>.*<h2>Lakeside<\/h2>/s);
  expect((await as('/patrons/riverside/799')).statusCode).toBe(404);
});

test("everybody else's patrons are 404, by guessed addresses too", async () => {
  const guessed = [
    ...['midland', 'lakeside', 'elsewhere'].flatMap((library) => [
      `/patrons/${library}`,
      `/patrons/${library}/patrons.csv`,
      `/patrons/${library}/700`,
      `/patrons/${library}/701`,
      `/patrons/${library}/812`,
    ]),
    '/patrons/riverside/700',
    '/patrons/riverside/701',
    '/patrons/riverside/midland:700',
    '/patrons/riverside/..%2Fmidland%2F700',
    '/patrons/riverside%2F..%2Fmidland',
    '/patrons/RIVERSIDE/812',
    '/patrons/riverside/0812',
  ];
  for (const url of guessed) expect([url, (await as(url)).statusCode]).toEqual([url, 404]);
  expect((await as('/patrons/midland/700', OPERATOR)).statusCode).toBe(200);
  expect((await as('/patrons/elsewhere', OPERATOR)).statusCode).toBe(404);
});

test('each look at patrons is in the audit, by whom and at whose', async () => {
  await as('/patrons/riverside');
  await as('/patrons/riverside/patrons.csv?owed=owing');
  await as('/patrons/riverside/812');
  await as('/patrons/riverside/799');
  const line = { audit: true, action: 'copies_elsewhere', by: SCOPED.user, home: 'riverside' };
  const looks = fixture.lines().filter(({ action }) => action === 'copies_elsewhere');
  expect(looks).toMatchObject([
    { ...line, copies: 17 },
    { ...line, copies: 1 },
    { ...line, home_key: 'riverside:812', copies: 2 },
    { ...line, copies: 0 },
  ]);
  // What nobody has may be a card, typed by mistake.
  expect(looks.at(-1)).not.toHaveProperty('home_key');
});

describe('what a list costs', () => {
  let app: ReturnType<DashboardFixture['build']>;
  beforeEach(() => {
    app = fixture.build();
  });
  afterEach(() => app.close());
  const get = (url: string, who: typeof SCOPED | typeof OPERATOR = SCOPED) =>
    app.inject({ url, headers: { authorization: basic(who) } });
  const scans = async (): Promise<number> =>
    Number(/cmdstat_hscan:calls=(\d+)/.exec(await fixture.redis.info('commandstats'))?.[1] ?? 0);

  test('is one reading of the records, however many look at it within seconds', async () => {
    const before = await scans();
    const urls = ['/patrons/riverside', '/patrons/riverside?owed=owing', '/patrons/riverside/patrons.csv'];
    const answers = await Promise.all([...urls, ...urls].map((url) => get(url)));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    expect((await get('/patrons/riverside')).body).toContain('17 copies');
    expect((await scans()) - before).toBe(2);
  });

  test('is bounded for each account: 60 looks a minute, and no line of the audit beyond', async () => {
    for (let look = 0; look < 60; look += 1) await get('/patrons/riverside/812');
    const refused = await get('/patrons/riverside');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '60']);
    expect(refused.body).toContain('Too many looks at patrons');
    expect(fixture.lines().filter(({ action }) => action === 'copies_elsewhere')).toHaveLength(60);
    expect((await get('/patrons/riverside', OPERATOR)).statusCode).toBe(200);
  });
});

test('who sees all libraries chooses one', async () => {
  const { body } = await as('/patrons', OPERATOR);
  for (const library of ['midland', 'riverside', 'lakeside']) expect(body).toContain(`/patrons/${library}"`);
});

test('a long list has pages, which end with a patron', async () => {
  for (let patron = 1_000; patron < 1_200; patron += 1) await copy('riverside', patron, 'lakeside', patron);
  const { body } = await as('/patrons/riverside');
  const [, after = ''] = /href="\/patrons\/riverside\?after=(\d+)"/.exec(body) ?? [];
  const second = patronsIn((await as(`/patrons/riverside?after=${after}`)).body);
  expect([...new Set([...patronsIn(body), ...second])]).toHaveLength(216);
  expect(second.filter((patron) => patronsIn(body).includes(patron))).toEqual([]);
});
