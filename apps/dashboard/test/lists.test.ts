import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pauseLibraries, writeHealth } from '@passport/queue/processes';
import { writeSetUp } from '@passport/queue/sweeps';
import { localParts } from '@passport/runtime';
import type { FastifyInstance } from 'fastify';
import {
  type DashboardFixture,
  OPERATOR,
  SCOPED,
  VIEWER,
  answerOf,
  basic,
  openDashboardFixture,
} from './dashboard-fixture.ts';

let fixture: DashboardFixture;
let app: FastifyInstance;
beforeAll(async () => {
  fixture = await openDashboardFixture();
  app = fixture.build();
});
beforeEach(() => fixture.clear());
afterAll(async () => {
  await app.close();
  await fixture.close();
});

const get = (url: string) => answerOf(app, OPERATOR, url);
const idsIn = (body: string): readonly string[] =>
  [...body.matchAll(/href="\/events\/\w+\/(evt_\d+)"/g)].map(([, id]) => id ?? '');
const failed = (library: string, outcome: 'MISCONFIGURED' | 'TOO_LATE' = 'MISCONFIGURED'): Promise<string> =>
  fixture.put({ state: 'failed', outcome }, { library });

describe('the list of events', () => {
  test('has all states, the newest first, a line for each', async () => {
    const done = await fixture.put({ state: 'done', outcome: 'COPIED' });
    const bad = await failed('midland');
    const waiting = await fixture.put({ state: 'waiting' });
    const queued = await fixture.put({ state: 'queued' });
    const { body } = await get('/events');
    expect(idsIn(body)).toEqual([queued, waiting, bad, done]);
    expect(body).toContain('aria-current="page">all</a>');
    expect(body).toMatch(/<time [^>]+>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+, just now<\/time>/);
    const own = await app.inject({ url: '/events', headers: { authorization: basic(SCOPED) } });
    expect(idsIn(own.body)).toEqual([queued, waiting, done]);
  });

  test('of all states has pages, too', async () => {
    const all: string[] = [];
    for (let n = 0; n < 26; n += 1) {
      all.push(await failed('riverside'), await fixture.put({ state: 'done', outcome: 'COPIED' }));
    }
    const first = (await get('/events')).body;
    const [, older = ''] = /href="([^"]+)">Older</.exec(first) ?? [];
    const second = (await get(older.replaceAll('&amp;', '&'))).body;
    expect([...idsIn(first), ...idsIn(second)].toSorted()).toEqual(all.toSorted());
  }, 60_000);

  test.each([
    ['failed', 'No scan has failed, of those that are kept.'],
    ['waiting', 'No scan waits: every library that was needed has answered.'],
  ])('without any that is %s says what is well', async (state, text) => {
    expect((await get(`/events?state=${state}`)).body).toContain(text);
  });

  test('is filtered by library', async () => {
    const wanted = await failed('riverside');
    await failed('midland');
    const { body } = await get('/events?state=failed&library=riverside');
    expect(idsIn(body)).toEqual([wanted]);
    expect(body).toContain('<option value="riverside" selected>');
  });

  test('is filtered by outcome, which decides the state', async () => {
    const wanted = await fixture.put({ state: 'done', outcome: 'NOT_FOUND' });
    await fixture.put({ state: 'done', outcome: 'COPIED' });
    const late = await failed('riverside', 'TOO_LATE');
    await failed('riverside');
    expect(idsIn((await get('/events?state=failed&outcome=NOT_FOUND')).body)).toEqual([wanted]);
    expect(idsIn((await get('/events?outcome=TOO_LATE')).body)).toEqual([late]);
  });

  test('is filtered by the time of the end, both minutes included', async () => {
    const wanted = await failed('riverside');
    const minute = (ms: number): string => {
      const { day, time } = localParts(Date.now() + ms);
      return `${day}T${time.slice(0, 5)}`;
    };
    const between = (from: number, until: number): Promise<readonly string[]> =>
      get(`/events?from=${minute(from)}&until=${minute(until)}`).then(({ body }) => idsIn(body));
    expect(await between(-60_000, 60_000)).toEqual([wanted]);
    expect(await between(120_000, 240_000)).toEqual([]);
    expect(await between(-240_000, -120_000)).toEqual([]);
  });

  test('has pages that lead to one another, with the filter', async () => {
    const all: string[] = [];
    for (let n = 0; n < 51; n += 1) all.push(await failed('riverside'));
    const first = (await get('/events?state=failed&library=riverside')).body;
    expect(idsIn(first)).toEqual(all.slice(1).toReversed());
    const [, older] = /href="([^"]+)">Older</.exec(first) ?? [];
    const second = (await get((older ?? '').replaceAll('&amp;', '&'))).body;
    expect(idsIn(second)).toEqual([all[0]]);
    expect(second).not.toContain('Older');
    const [, newest] = /href="([^"]+)">Newest</.exec(second) ?? [];
    expect((newest ?? '').replaceAll('&amp;', '&')).toBe('/events?state=failed&library=riverside');
  }, 60_000);

  test.each([
    ['from=yesterday', 'from is no time such as 2026-11-26T14:30.'],
    ['until=2026-13-01T00:00', 'until is no time'],
    ['outcome=BORROWED', 'outcome is no outcome.'],
    ['state=lost', 'state is none of working, queued, waiting, failed, done.'],
    ['library=nowhere', 'library is no library.'],
    ['outcome=COPIED&outcome=NOT_FOUND', 'outcome is there more than once.'],
  ])('says which field of %s it cannot understand', async (query, sentence) => {
    const { status, body } = await get(`/events?${query}`);
    expect([status, body.includes(sentence)]).toEqual([400, true]);
  });

  test('shows the kind of each outcome in words beside its colour', async () => {
    await fixture.put({ state: 'done', outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED'] });
    await fixture.put({ state: 'done', outcome: 'NOT_FOUND' });
    await fixture.put({ state: 'done', outcome: 'COPIED' });
    const { body } = await get('/events?state=done');
    expect(body).toMatch(/code-desk-decides">NOT_ELIGIBLE<.*?desk decides · EXPIRED/);
    expect(body).toMatch(/code-unknown-card">NOT_FOUND<.*?unknown card</);
    expect(body).toMatch(/code-served">COPIED<.*?served</);
  });
});

describe('an id', () => {
  const find = (id: string) => get(`/events/find?id=${encodeURIComponent(id)}`);

  test('leads to its event, with or without its library, and blanks around it', async () => {
    const id = await failed('midland');
    for (const typed of [id, `midland.${id}`, ` ${id} `]) {
      const { status, headers } = await find(typed);
      expect([typed, status, headers['location']]).toEqual([typed, 302, `/events/midland/${id}`]);
    }
    expect((await find(`riverside.${id}`)).status).toBe(404);
  });

  test('of a double scan leads to the first one', async () => {
    const id = await failed('riverside');
    await fixture.redis.set('{passport}:idempotency:riverside.evt_second', `kid:hash - ${id}`);
    expect((await find('evt_second')).headers['location']).toBe(`/events/riverside/${id}`);
  });

  test('that several libraries use is shown with all of them', async () => {
    for (const library of ['riverside', 'midland']) {
      await fixture.put({ state: 'done', outcome: 'COPIED' }, { library, event_id: 'evt_9999' });
    }
    const { status, body } = await find('evt_9999');
    expect(status).toBe(200);
    expect(body).toContain('href="/events/midland/evt_9999"');
    expect(body).toContain('href="/events/riverside/evt_9999"');
  });

  test.each(['', 'evt_nothing', '<b>', '../../x', 'a b', 'x'.repeat(500)])(
    '%j is not found',
    async (typed) => {
      const { status, body } = await find(typed);
      expect([status, body.includes('No event has this id')]).toEqual([404, true]);
      expect(body).not.toContain('<b>');
    },
  );
});

describe('the page of a library', () => {
  test('has its state, its scans by state, and who waits for it', async () => {
    const own = await failed('midland');
    await fixture.put({ state: 'queued' }, { library: 'midland' });
    const next = new Date(Date.now() + 60_000).toISOString();
    const waiting = await fixture.put({
      state: 'waiting',
      waiting_for: { library: 'midland', reason: 'CIRCUIT_OPEN', next_try_at: next },
    });
    await failed('riverside');
    await writeSetUp(fixture.redis, 'midland', {
      at_ms: Date.now() - 3 * 3_600_000,
      findings: [
        { code: 'category_unknown', level: 'fault', name: 'P<T' },
        { code: 'few_workers', level: 'unchecked', name: null },
      ],
      job: null,
      tries: 0,
    });
    const { body, status } = await get('/libraries/midland');
    expect(status).toBe(200);
    expect(body).toContain('<h1>Midland Public Library</h1>');
    expect(body).toContain('not seen yet');
    expect(body).toMatch(/1 finding, checked <time [^>]+>[^<]*, 3 hours ago</);
    expect(body).toContain(
      '<li>fault: <a href="/runbook#passportsetupfault">its Koha lacks a patron category of copies (P&lt;T)</a></li>',
    );
    expect(body).toContain('<code>passport doctor midland</code>');
    expect((await get('/libraries/riverside')).body).toContain('not checked yet');
    expect(body).toMatch(/<span class="value">1<\/span> <span class="label">in the queue/);
    expect(body).toMatch(/<span class="value">0<\/span> <span class="label">waiting/);
    expect(idsIn(body)).toEqual([own, waiting]);
    expect(body).toContain('href="/events?state=failed&amp;library=midland"');
  });

  test('says since when its set-up could not be checked, and why', async () => {
    const checked = { at_ms: null, job: null, tries: 0, unchecked_since_ms: Date.now() - 3 * 3_600_000 };
    const silence = { code: 'unreachable', level: 'unchecked', name: null } as const;
    await writeSetUp(fixture.redis, 'midland', { ...checked, findings: [silence] });
    const since = /unchecked since <time [^>]+>[^<]*, 3 hours ago<\/time>: its Koha does not answer/;
    expect((await get('/libraries/midland')).body).toMatch(new RegExp(`${since.source}</dd>`));
    await writeSetUp(fixture.redis, 'midland', { ...checked, at_ms: Date.now(), findings: [silence] });
    expect((await get('/libraries/midland')).body).toMatch(new RegExp(`${since.source}; last checked <time`));
  });

  test('says its commands as they are typed in this installation', async () => {
    const finding = { code: 'certificate', level: 'warning', name: null } as const;
    const checked = { at_ms: Date.now(), findings: [finding], job: null, tries: 0 };
    await writeSetUp(fixture.redis, 'midland', checked);
    const other = fixture.build({ install: 'debian', basePath: '/ops' });
    const headers = { authorization: basic(VIEWER) };
    const { body } = await other.inject({ url: '/ops/libraries/midland', headers });
    await other.close();
    expect(body).toContain('<code>sudo passport doctor midland</code>');
    expect(body).toContain('href="/ops/runbook#certificate-about-to-expire"');
  });

  test.each([
    ['passportmisconfigured', { problem: { what: 'category', name: 'PT' } }],
    ['passportlibraryopen', { open: true, open_since_ms: 1, last_failure: 'timeout' }],
    ['passportlibraryslow', { answer_ms: 2_500 }],
    ['a-library-at-its-limit', { waiting: 7 }],
    [null, {}],
  ] as const)('leads to the section %s of the runbook', async (section, change) => {
    const now = Date.now();
    await writeHealth(fixture.redis, 'midland', 'worker-1', {
      open: false,
      open_since_ms: null,
      last_success_ms: now,
      last_failure_ms: null,
      last_failure: null,
      answer_ms: 40,
      waiting: 0,
      problem: null,
      at_ms: now,
      ...change,
    });
    const { body } = await get('/libraries/midland');
    const sections = Array.from(body.matchAll(/href="\/runbook#([^"]+)"/g), ([, found]) => found);
    expect(sections).toEqual(section === null ? [] : [section]);
  });

  test('is where the overview and an event lead, and not there for a library that is none', async () => {
    const id = await failed('riverside');
    expect((await get('/')).body).toContain('<a href="/libraries/lakeside">Lakeside</a>');
    expect((await get(`/events/riverside/${id}`)).body).toContain('href="/libraries/riverside"');
    expect((await get('/libraries/nowhere')).status).toBe(404);
    expect((await get('/libraries/lakeside')).body).toContain('state-disabled');
  });
});

test('a library that an operator has paused is shown as paused, as what, until when and why', async () => {
  const nowMs = Date.now();
  const pause = { library: 'riverside', reason: '<upgrade>', by: 'otto', at_ms: nowMs } as const;
  await pauseLibraries(fixture.redis, [
    { ...pause, side: 'lending', until_ms: nowMs + 7_300_000 },
    { ...pause, side: 'home', until_ms: nowMs - 1 },
  ]);
  const note = /paused as lending library, ends <time [^>]+>[^<]+, in 2 hours<\/time>: &lt;upgrade&gt;/;
  for (const url of ['/', '/libraries/riverside']) {
    const { body } = await get(url);
    expect(body).toMatch(note);
    expect(body).not.toContain('paused as home');
  }
  expect((await get('/libraries/midland')).body).not.toContain('paused as');
  const untilMs = nowMs + 7_300_000;
  await pauseLibraries(fixture.redis, [{ ...pause, side: 'home', until_ms: untilMs }]);
  const { body } = await get('/libraries/riverside');
  expect(body).not.toContain('paused as');
  expect(body.match(/paused, ends <time/g)).toHaveLength(1);
});
