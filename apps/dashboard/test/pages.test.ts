import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { writeHealth } from '@passport/queue/processes';
import { type SweepState, writeSweep } from '@passport/queue/sweeps';
import type { Redis } from '@passport/runtime';
import { type DashboardFixture, RETRY, injectOnce, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const page = async (url: string): Promise<string> =>
  (await fixture.request({ url })).body.replaceAll(/\s+/g, ' ');
const jobs = async (status: string) => {
  const answer = await fixture.request({
    url: `/board/api/queues?activeQueue=scans&status=${status}&jobsPerPage=10`,
  });
  return answer.json<{ queues: { jobs: Record<string, unknown>[] }[] }>().queues[0]?.jobs ?? [];
};
const waitingFor = { library: 'midland', reason: 'NO_ANSWER', next_try_at: '2026-11-25T10:00:00Z' } as const;
const midland = { id: 'midland', name: 'Midland Public Library' };

describe('the overview', () => {
  test('is calm when nothing has happened', async () => {
    const body = await page('/');
    expect(body).toContain('No scan is unfinished.');
    expect(body).toContain('No scan has failed so far.');
    expect(body).toContain('No scan ended in the last 24 hours.');
    expect(body).toContain('not seen yet');
  });

  test('counts scans by state and by the library that they wait for', async () => {
    await fixture.put({ state: 'waiting', waiting_for: waitingFor });
    await fixture.put({ state: 'failed', outcome: 'HOME_UNREACHABLE', homes: [midland] });
    await fixture.put({ state: 'queued' });
    const body = await page('/');
    expect(body).toMatch(/<span class="value">1<\/span> <span class="label">in the queue/);
    expect(body).toMatch(/<span class="value">1<\/span> <span class="label">waiting/);
    expect(body).toMatch(/<span class="value">1<\/span> <span class="label">failed/);
    expect(body).toMatch(/Midland Public Library<.*?data-label="Scans waiting for it" class="number">1</);
    expect(body).toContain('Midland Public Library did not answer.');
  });

  test.each([
    ['up', {}, 'up'],
    ['slow', { answer_ms: 2_500 }, 'slow'],
    ['at its limit', { waiting: 7 }, 'crowded'],
    ['away', { open: true, last_failure: 'timeout', last_failure_ms: Date.now() }, 'open'],
    ['misconfigured', { problem: { what: 'category', name: 'PT' } }, 'misconfigured'],
  ] as const)('shows a library that is %s', async (words, change, kind) => {
    const now = Date.now();
    await writeHealth(fixture.redis, 'midland', 'worker-1', {
      open: false,
      open_since_ms: kind === 'open' ? now - 60_000 : null,
      last_success_ms: now - 65_000,
      last_failure_ms: null,
      last_failure: null,
      answer_ms: 40,
      waiting: 0,
      problem: null,
      at_ms: now,
      ...change,
    });
    const body = await page('/');
    expect(body).toContain(`<span class="state state-${kind}">${words}</span>`);
    expect(body).toContain('1 minute ago');
    if (kind === 'misconfigured') expect(body).toContain('category PT');
    if (kind === 'open') expect(body).toMatch(/ since <time [^>]+>.*?\(timeout\)/);
  });

  test('shows a library that is shut out as not enabled', async () => {
    expect(await page('/')).toContain('<span class="state state-disabled">not enabled</span>');
  });

  test('draws the outcomes of the last day and says them in a table', async () => {
    const hour = new Date().toISOString().slice(0, 13);
    await fixture.redis.hset(`{passport}:outcomes:${hour}`, 'riverside COPIED', 7, 'riverside NOT_FOUND', 2);
    const body = await page('/');
    expect(body).toContain(
      'Outcomes of the last 24 hours: 7 served, 2 unknown card, 0 desk decides, 0 failed',
    );
    expect(body.match(/<rect /g)).toHaveLength(2);
    expect(body).toMatch(/<caption> Outcomes by the hour \([\w/]+\)/);
    expect(body).toMatch(/<dt>COPIED<\/dt>\s?<dd>7<\/dd>/);
  });

  test('names of libraries are text, not markup', async () => {
    const body = await page('/');
    expect(body).toContain('Riverside &lt;Library&gt; &amp; Archive');
    expect(body).not.toContain('<Library>');
  });

  test('refreshes itself only on request', async () => {
    expect(await page('/')).not.toContain('http-equiv="refresh"');
    expect(await page('/?refresh=on')).toContain('<meta http-equiv="refresh" content="15" />');
  });
});

describe('loans of visitors', () => {
  const lend = async (lending: string, in_: string, counts: Record<string, number>): Promise<void> => {
    await fixture.redis.sadd(`{passport}:loans:${in_}`, lending);
    await fixture.redis.hset(`{passport}:loans:${in_}:${lending}`, counts);
  };
  const field = (home: string, kind: string, branch = 'MAIN'): string => JSON.stringify([home, branch, kind]);

  test('are listed by home and lending library with what each lent, for all months or one, and as a settlement', async () => {
    const month = new Date().toISOString().slice(0, 7);
    await lend('riverside', month, {
      [field('midland', 'checkouts')]: 7,
      [field('midland', 'checkouts', 'SOUTH')]: 2,
      [field('midland', 'renewals')]: 3,
    });
    await lend('midland', month, { [field('riverside', 'checkouts')]: 4 });
    const body = (await page('/statistics')).replaceAll(/\s+/g, ' ');
    const cells = (label: string): string[] =>
      [
        ...(body.split(label)[1]?.split('</table>')[0] ?? '').matchAll(
          /<(?:td|th scope=.row.)[^>]*>(.*?)<\/t[dh]>/g,
        ),
      ].map(([, text = '']) => text);
    const riverside = 'Riverside &lt;Library&gt; &amp; Archive';
    expect(cells('Table: Loans by home and lending library')).toEqual(
      [
        [midland.name, riverside, '9', '3', '0', '5'],
        [riverside, midland.name, '4', '0', '0', '-5'],
      ].flat(),
    );
    expect(cells('Table: Lent and borrowed')).toEqual([
      riverside,
      '9',
      '4',
      '5',
      midland.name,
      '4',
      '9',
      '-5',
    ]);
    expect(body).toContain('not counted yet');
    expect(body).not.toContain('SOUTH');
    expect((await page('/statistics?month=2000-01')).includes('Table: Lent')).toBe(true);
    const { body: csv } = await fixture.request({ url: '/statistics/settlement.csv' });
    expect(csv.split('\r\n')).toEqual([
      'month,home,lending,checkouts,renewals,returns,net,state',
      `${month},midland,riverside,9,3,0,5,open`,
      `${month},riverside,midland,4,0,0,-5,open`,
      '',
    ]);
  });
});

describe('statistics', () => {
  const month = new Date().toISOString().slice(0, 7);
  beforeEach(async () => {
    const count = async (lending: string, counts: Record<string, number>): Promise<void> => {
      await fixture.redis.sadd(`{passport}:statistics:${month}`, lending);
      await fixture.redis.hset(`{passport}:statistics:${month}:${lending}`, counts);
    };
    await count('riverside', {
      'midland COPIED': 7,
      'midland CHECKED_OUT': 5,
      'midland NOT_ELIGIBLE': 2,
      'midland EXPIRED': 2,
      '- NOT_FOUND': 1,
    });
    await count('lakeside', { 'midland ALREADY_LOCAL': 3, '* COPIED': 1 });
  });

  test('draws the last twelve months and says them in a table', async () => {
    const body = await page('/statistics');
    expect(body).toContain('Scans by month: 8 copied, 3 already there, 3 refused, 0 failed');
    expect(body.match(/<rect /g)).toHaveLength(3);
    expect(body.match(/<text class="axis/g)).toHaveLength(12 + 3);
    // Nothing is scaled: its text has the size of other text, however wide the picture is.
    expect(body).not.toContain('viewBox');
    expect(body).toMatch(/<text class="axis" x="100%" y="\d+" text-anchor="end"/);
    expect(body).toMatch(new RegExp(`<th scope="row">${month}</th> <td class="number">8</td>`));
    expect(body).toMatch(/<span class="value">14<\/span> <span class="label">scans/);
    expect(body).toMatch(/<span class="value">5<\/span> <span class="label">checkouts/);
  });

  test('lists refusals by their codes, and libraries as lending and as home libraries', async () => {
    const body = await page('/statistics');
    expect(body).toMatch(/<dt>NOT_ELIGIBLE<\/dt>\s?<dd>2<\/dd>/);
    expect(body).toMatch(/<dt>EXPIRED<\/dt>\s?<dd>2<\/dd>/);
    expect(body).toMatch(/statistics\?lending=riverside">Riverside &lt;Library&gt; &amp; Archive</);
    expect(body).toMatch(/statistics\?home=midland">Midland Public Library<.*?"number">12</);
    expect(body).toContain('No home library, or several');
    expect(body).toContain('Other home libraries');
  });

  test('shows one lending library, or one home library', async () => {
    const lending = await page('/statistics?lending=lakeside');
    expect(lending).toContain('<h1>Statistics of Lakeside as lending library</h1>');
    expect(lending).toContain('Scans by month: 1 copied, 3 already there, 0 refused, 0 failed');
    expect(lending).not.toContain('By lending library');
    const home = await page('/statistics?home=midland');
    expect(home).toContain('<h1>Statistics of Midland Public Library as home library</h1>');
    expect(home).toContain('Scans by month: 7 copied, 3 already there, 2 refused, 0 failed');
  });

  test('counts those apart whom a library would have served that only observes', async () => {
    expect(await page('/statistics')).not.toContain('would have been served');
    await fixture.redis.hset(`{passport}:statistics:${month}:riverside`, { 'midland OBSERVED': 4 });
    const body = await page('/statistics?lending=riverside');
    expect(body).toContain('Scans by month: 7 copied, 0 already there, 4 observed, 3 refused, 0 failed');
    expect(body).toMatch(/<span class="value">4<\/span> <span class="label">observed/);
    expect(body).toContain('class="group-observed"');
  });

  test('can be downloaded as CSV', async () => {
    const { body, headers } = await fixture.request({ url: '/statistics.csv' });
    expect(headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(headers['content-disposition']).toBe('attachment; filename="passport-statistics.csv"');
    const lines = body.split('\r\n');
    expect(lines[0]).toMatch(/^month,home,lending,scans,copies,/);
    expect(lines).toContainEqual(expect.stringContaining(`${month},midland,riverside,9,7,0,5,0,2,0,`));
    expect(lines).toHaveLength(1 + 4 + 1);
  });

  test('is calm when nothing was counted, and writes what the address says as text', async () => {
    const repeated = await page('/statistics?home=%3Cb%3Enobody&home=x');
    expect(repeated).toContain('<h1>Statistics</h1>');
    const unknown = await page('/statistics?home=%3Cb%3Enobody');
    expect(unknown).toContain('Statistics of &lt;b&gt;nobody as home library');
    expect(unknown).toContain('No scan ended in these months.');
    expect(unknown).not.toContain('<b>');
  });
});

describe('sweeps', () => {
  const home = { state: 'done', copies: 0, findings: {}, fields_changed: 0, fields_kept: 0 } as const;
  const sweep = (library: string, change: Partial<SweepState>): SweepState => ({
    id: 'sweep_1',
    job: 'sweep.1',
    library,
    mode: 'full',
    dry_run: false,
    started_ms: Date.now() - 3 * 3_600_000,
    ended_ms: Date.now() - 3 * 3_600_000 + 240_000,
    after: 0,
    missing: 0,
    looked_up: 0,
    pages: 1,
    rows: 1,
    failed: null,
    unknown: {},
    homes: { midland: { ...home, copies: 5, findings: { REFRESHED: 3 }, fields_changed: 4, fields_kept: 1 } },
    copies_before: {},
    last_full_ms: null,
    last_ms: null,
    ...change,
  });

  test('say of a library without copies that it has none', async () => {
    await writeSweep(fixture.redis, sweep('riverside', { homes: {} }));
    expect(await page('/sweeps?lending=riverside')).toContain('No copies so far.');
  });

  test('are summed up, and listed by lending library', async () => {
    const { redis } = fixture;
    await writeSweep(redis, sweep('riverside', {}));
    const blind = {
      ...home,
      state: 'blind' as const,
      copies: 2,
      findings: { HOME_HIDES_PATRONS: 2, REFRESHED: 1 },
    };
    await writeSweep(redis, sweep('midland', { homes: { lakeside: blind }, mode: 'changed' }));
    const failed = {
      ...sweep('midland', { homes: { lakeside: blind }, mode: 'changed' }),
      failed: 'midland: timeout',
    };
    const at = Date.now();
    const schedule = { since_ms: at, queued_ms: at, next_ms: at + 5 * 3_600_000 + 60_000 };
    await redis.hset('{passport}:schedules', 'sweep.riverside', JSON.stringify(schedule));
    await redis.hset('{passport}:schedules:done', 'sweep.riverside', at - 19 * 3_600_000);
    const body = await page('/sweeps');
    expect(body).toMatch(/lending=riverside">.*?Last done.*?19 hours ago.*?Next.*?in 5 hours/);
    expect(body).toContain('<a href="/sweeps" aria-current="page">Sweeps</a>');
    expect(body).toMatch(/<span class="value">7<\/span> <span class="label">copies/);
    expect(body).toMatch(/<span class="value">4<\/span> <span class="label">fields changed/);
    expect(body).toMatch(/<span class="value">1<\/span> <span class="label">home libraries/);
    expect(body).toMatch(
      /sweeps\?lending=riverside">Riverside &lt;Library&gt; &amp; Archive<.*?all copies.*?>done</,
    );
    expect(body).toMatch(/sweeps\?lending=midland">.*?changed records.*?>1 home library to look at</);
    expect(body).toMatch(/<dt>REFRESHED<\/dt>\s?<dd>4<\/dd>/);
    await writeSweep(redis, failed);
    expect(await page('/sweeps')).toMatch(/lending=midland">.*?not to its end: midland: timeout/);
  });

  test('of one lending library have its home libraries, and the last dry run', async () => {
    const { redis } = fixture;
    await writeSweep(redis, sweep('riverside', { homes: { midland: { ...home, state: 'down' } } }));
    const found = { ...home, copies: 9, findings: { REFRESHED: 8, KEPT_LOCAL: 1 }, fields_changed: 8 };
    await writeSweep(redis, sweep('riverside', { dry_run: true, homes: { '<b>x': found } }));
    const body = await page('/sweeps?lending=riverside');
    expect(body).toContain('<h1>Sweeps over copies at Riverside &lt;Library&gt; &amp; Archive</h1>');
    expect(body).toMatch(/3 hours ago<\/time>, all copies, took 4 min/);
    expect(body).toMatch(/Midland Public Library <span class="quiet">midland<.*?state-open">down</);
    expect(body).toMatch(/Last dry run.*?Fields to change.*?&lt;b&gt;x.*?REFRESHED 8, KEPT_LOCAL 1/);
    expect(body).not.toContain('<b>x');
  });

  test('that never were leave the page calm, also for an address that names nobody', async () => {
    const body = await page('/sweeps?lending=%3Cb%3Enobody');
    expect(body).toContain('<h1>Sweeps over copies</h1>');
    expect(body).toMatch(/lending=riverside">.*?never/);
    expect(body).not.toContain('lending=lakeside');
    const off = fixture.build({
      libraries: [{ id: 'riverside', name: 'Riverside', enabled: true, retry: RETRY }],
    });
    expect((await injectOnce(off, { url: '/sweeps' })).body).toContain('No lending library has a sweep');
  });
});

describe('an event', () => {
  test('that failed is explained, with what to do', async () => {
    const problem = { library: 'midland', what: 'attribute_type', name: 'PASSPORTED' } as const;
    const id = await fixture.put({ state: 'failed', outcome: 'MISCONFIGURED', problem, attempt: 2 });
    const body = await page(`/events/riverside/${id}`);
    expect(body).toContain(
      '<h1>The passport service is not set up correctly for Midland Public Library.</h1>',
    );
    expect(body).toContain('The patron attribute type (PASSPORTED) does not exist at midland.');
    expect(body).toContain('&quot;passport doctor midland&quot;');
    expect(body).toContain(`action="/events/riverside/${id}/retry"`);
  });

  test('that waits says for whom, why and until when', async () => {
    const next = new Date(Date.now() + 90_000).toISOString();
    const id = await fixture.put({ state: 'waiting', waiting_for: { ...waitingFor, next_try_at: next } });
    const body = await page(`/events/riverside/${id}`);
    expect(body).toContain('No answer yet from Midland Public Library.');
    expect(body).toContain('in 1 minute');
    expect(body).toContain('Try now');
  });

  test('that succeeded has nothing to press', async () => {
    const id = await fixture.put({ state: 'done', outcome: 'COPIED', homes: [midland], patron_id: 812 });
    const body = await page(`/events/riverside/${id}`);
    expect(body).toContain('Found at Midland Public Library. You can check out now.');
    expect(body).not.toContain('<button');
  });

  test('has a history: who was queried in each attempt, what came back, and how long it took', async () => {
    const now = Date.now();
    const call = { library: 'midland', step: 'locate', answer: 'NO_ANSWER', ms: 3_004 };
    const made = { library: 'riverside', step: 'copy', answer: 'COPIED', ms: 120 };
    const attempts = [
      {
        at_ms: now - 60_000,
        ms: 3_010,
        calls: [call, { ...call, ms: null }],
        others: 7,
        result: 'NO_ANSWER',
      },
      { at_ms: now, ms: 450, calls: [made], others: 0, result: 'COPIED' },
    ];
    const id = await fixture.put({ state: 'done', outcome: 'COPIED', homes: [midland] }, { attempts });
    const [, history = ''] = (await page(`/events/riverside/${id}`)).split('>History<');
    const [newest = '', oldest = ''] = history.split('tried again: NO_ANSWER');
    expect(newest).toMatch(/code-served">COPIED<.*?took 450 ms/);
    expect(newest).toMatch(/Archive<\/strong> made or checked the copy: COPIED <span class="quiet">120 ms/);
    expect(oldest).toMatch(/1 minute ago<\/time>, took 3\.0 s/);
    expect(oldest).toMatch(/Midland Public Library<\/strong> looked the card up: NO_ANSWER .*?3\.0 s/);
    expect(oldest).toMatch(/no answer by the end.*?And 7 more\./);
  });

  test('of an earlier version has no history, and a page all the same', async () => {
    const id = await fixture.put({ state: 'done', outcome: 'COPIED', homes: [midland] });
    expect(await page(`/events/riverside/${id}`)).not.toContain('History');
  });

  test('that was coalesced with another leads there', async () => {
    const id = await fixture.put({ state: 'queued' });
    await fixture.redis.set('{passport}:idempotency:riverside.evt_second', `kid:hash - ${id}`);
    const answer = await fixture.request({ url: '/events/riverside/evt_second' });
    expect([answer.statusCode, answer.headers.location]).toEqual([302, `/events/riverside/${id}`]);
  });

  test('that nobody knows is 404 with a way on', async () => {
    const answer = await fixture.request({ url: '/events/riverside/evt_nothing' });
    expect(answer.statusCode).toBe(404);
    expect(answer.body).toContain('Nothing is known of this event');
  });
});

/** Each parameter that a page reads from its address. */
const PARAMETERS = {
  '/': ['refresh', 'library', 'from', 'until'],
  '/events': ['state', 'outcome', 'library', 'from', 'until', 'after'],
  '/events/find': ['id'],
  '/events/riverside/none': ['done'],
  '/libraries/riverside/retry': ['outcome', 'from', 'until'],
  '/audit': ['by', 'act', 'library', 'from', 'until', 'after'],
  '/statistics': ['home', 'lending', 'month'],
  '/sweeps': ['lending'],
  '/libraries/riverside/findings': ['finding', 'after'],
  '/patrons/riverside': ['home', 'after'],
};

test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])(
  'no parameter that is called %s finds what every object has',
  async (name) => {
    const id = await fixture.put({ state: 'failed', outcome: 'MISCONFIGURED' });
    const pages = { ...PARAMETERS, [`/events/riverside/${id}`]: ['done'] };
    const urls = Object.entries(pages).flatMap(([path, keys]) =>
      keys.flatMap((key) => [`${path}?${key}=${name}`, `${path}?${key}=${name}&${key}=${name}`]),
    );
    for (const url of urls) {
      const { statusCode } = await fixture.request({ url });
      expect({ url, isFault: statusCode >= 500 }).toEqual({ url, isFault: false });
    }
  },
);

describe('the lists', () => {
  test('show the events of one state', async () => {
    await fixture.put({ state: 'failed', outcome: 'TOO_LATE' });
    await fixture.put({ state: 'done', outcome: 'NOT_FOUND' });
    expect(await page('/events?state=failed')).toContain('This scan was too old to be processed.');
    expect(await page('/events?state=done')).toContain('No partner library knows this card.');
    expect(await page('/events?state=queued')).toContain('No scan is queued: workers keep up.');
  });

  test('show an event that cannot be read as such', async () => {
    await fixture.queue.add('riverside', { v: 99 } as never, { jobId: 'riverside.evt_new', priority: 1 });
    expect(await page('/events?state=queued')).toContain('The payload of riverside.evt_new cannot be read');
    expect((await jobs('prioritized'))[0]).toMatchObject({ name: 'riverside: cannot be read' });
  });
});

describe('the board names jobs so that a person understands them', () => {
  test.each([
    [{ state: 'queued' }, 'prioritized', 'riverside: waiting for a worker'],
    [{ state: 'waiting', waiting_for: waitingFor }, 'delayed', 'riverside: waiting for midland'],
    [{ state: 'done', outcome: 'COPIED', homes: [midland] }, 'completed', 'riverside: COPIED'],
    [
      { state: 'done', outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED'] },
      'completed',
      'riverside: NOT_ELIGIBLE (EXPIRED)',
    ],
    [
      { state: 'failed', outcome: 'HOME_UNREACHABLE', homes: [midland] },
      'failed',
      'riverside: HOME_UNREACHABLE (midland)',
    ],
    [
      {
        state: 'failed',
        outcome: 'MISCONFIGURED',
        problem: { library: 'midland', what: 'attribute_type', name: 'X' },
      },
      'failed',
      'riverside: MISCONFIGURED (midland: attribute type)',
    ],
  ] as const)('%j', async (progress, status, name) => {
    await fixture.put({ ...progress } as Parameters<typeof fixture.put>[0]);
    expect(await jobs(status)).toEqual([expect.objectContaining({ name })]);
  });

  test('nothing encrypted, hashed or written by a library is in what it shows', async () => {
    await fixture.put({ state: 'failed', outcome: 'LENDING_REFUSED' });
    await fixture.put({ state: 'queued' });
    const all = JSON.stringify([...(await jobs('failed')), ...(await jobs('prioritized'))]);
    for (const text of ['kid001', 'encrypted-card', 'what the worker wrote', 'stacktrace":["']) {
      expect(all).not.toContain(text);
    }
    expect(await jobs('failed')).toEqual([
      expect.objectContaining({
        failedReason: expect.stringContaining('could not store this patron'),
        data: expect.objectContaining({ card: 'encrypted', item: 'encrypted', branch: 'MAIN' }),
      }),
    ]);
  });

  test('one job can be looked at, and belongs to no flow', async () => {
    const id = await fixture.put({ state: 'failed', outcome: 'TOO_LATE' });
    const url = `/board/api/queues/scans/riverside.${id}`;
    expect((await fixture.request({ url })).json()).toMatchObject({
      status: 'failed',
      job: { name: 'riverside: TOO_LATE' },
    });
    expect((await fixture.request({ url: `${url}/flow` })).json()).toMatchObject({ isFlowNode: false });
  });
});

/** The Redis of the fixture, of which one command fails that the front page needs. */
const failing = (error: Error): Redis =>
  Object.assign(Object.create(fixture.redis) as Redis, { zcard: () => Promise.reject(error) });

test('when Redis is away the page says so and comes back by itself', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' });
  const answer = await injectOnce(fixture.build({ redis: failing(away) }), { url: '/' });
  expect(answer.statusCode).toBe(503);
  expect(answer.body).toContain('The queue does not answer');
  expect(answer.body).toContain('http-equiv="refresh"');
  expect(answer.body).not.toContain('10.0.0.1');
});

test('a bug is reported to the log, not to the visitor', async () => {
  const bug = new TypeError('undefined is not a library');
  const answer = await injectOnce(fixture.build({ redis: failing(bug) }), { url: '/' });
  expect(answer.body).toContain('Something went wrong');
  expect(answer.body).not.toContain('undefined is not');
  expect(JSON.stringify(fixture.lines())).toContain('undefined is not a library');
});
