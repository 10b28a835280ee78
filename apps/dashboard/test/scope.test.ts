import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify';
import { parseJob } from '@passport/contract';
import { openActKeeper } from '@passport/queue/audit';
import { noteFindings, readFindings } from '@passport/queue/copies';
import { type ProcessNote, announceProcess, writeHealth } from '@passport/queue/processes';
import { type SweepState, writeSweep } from '@passport/queue/sweeps';
import { type DashboardFixture, OPERATOR, SCOPED, basic, openDashboardFixture } from './dashboard-fixture.ts';

/** What a page about any other library would contain: its id, or its name. */
const OTHERS = /lakeside|midland/i;
/** A worker whose last configuration was refused, for a reason that names the consortium's libraries. */
const WORKER: ProcessNote = {
  kind: 'worker',
  version: '1.0.0',
  host: 'machine-of-midland',
  config: { hash: 'aaaaaaaaaaaa', loaded_ms: 1 },
  refused: { at_ms: 1, problems: ['users[1].libraries[0]: is no library; midland, riverside, lakeside'] },
  reload: null,
};
const STATES = ['failed', 'waiting', 'queued', 'done'] as const;

let fixture: DashboardFixture;
/** One for all tests: hundreds of addresses are requested. */
let app: FastifyInstance;
let announced: ReturnType<typeof announceProcess>;
let routes: readonly { readonly method: HTTPMethods; readonly url: string; readonly scope: string }[];
/** The events of riverside, and of the others, by state. */
let own: Record<(typeof STATES)[number], string>;
let foreign: Record<(typeof STATES)[number], string>;

beforeAll(async () => {
  fixture = await openDashboardFixture();
  routes = await realRoutes();
  app = fixture.build();
});
beforeEach(async () => {
  await fixture.clear();
  own = await plant('riverside');
  foreign = await plant('lakeside');
  await plant('midland');
  announced = announceProcess(fixture.redis, 'w1', () => WORKER);
  await announced.again();
});
afterEach(() => announced.close());
afterAll(async () => {
  await app.close();
  await fixture.close();
});

/** Every route of the dashboard as it is built, the board's among them. */
async function realRoutes() {
  const added: RouteOptions[] = [];
  const built = fixture.build();
  built.addHook('onRoute', (route) => void added.push(route));
  await built.ready();
  await built.close();
  return added.flatMap(({ method, url, config }) =>
    [method].flat().map((one) => ({ method: one, url, scope: config?.scope ?? 'none' })),
  );
}

/** An event in each state at a library, its health, statistics, outcomes and sweep. */
async function plant(library: string): Promise<typeof own> {
  const { redis } = fixture;
  const now = Date.now();
  const homes = library === 'riverside' ? [] : [{ id: library, name: `${library} at home` }];
  const failed = await fixture.put(
    { state: 'failed', outcome: 'MISCONFIGURED', problem: { library, what: 'credentials', name: null } },
    { library },
  );
  const next = new Date(now + 60_000).toISOString();
  const waiting = await fixture.put(
    { state: 'waiting', waiting_for: { library, reason: 'CIRCUIT_OPEN', next_try_at: next } },
    { library },
  );
  const done = await fixture.put({ state: 'done', outcome: 'COPIED', homes, patron_id: 1 }, { library });
  const queued = await fixture.put({ state: 'queued' }, { library });
  await writeHealth(redis, library, 'worker', {
    open: true,
    open_since_ms: now,
    last_success_ms: now,
    last_failure_ms: now,
    last_failure: `${library}_code`,
    answer_ms: 3_000,
    waiting: 0,
    problem: null,
    at_ms: now,
  });
  const hour = new Date(now).toISOString().slice(0, 13);
  const month = hour.slice(0, 7);
  await redis.hset(`{passport}:outcomes:${hour}`, `${library} NOT_FOUND`, 3);
  await redis.sadd(`{passport}:statistics:${month}`, library);
  await redis.hset(`{passport}:statistics:${month}:${library}`, `${homes[0]?.id ?? '-'} COPIED`, 7);
  if (homes[0] !== undefined) {
    const loan = JSON.stringify([library === 'lakeside' ? 'midland' : 'lakeside', 'MAIN', 'checkouts']);
    await redis.sadd(`{passport}:loans:${month}`, library);
    await redis.hset(`{passport}:loans:${month}:${library}`, loan, 5);
  }
  const acts = openActKeeper({
    redis,
    source: 'cli',
    everyMs: 60_000,
    monotonicNow: () => performance.now(),
    onLost: () => undefined,
  });
  acts.keep({ action: 'pause', by: `${library}_operator`, library, because: `upgrade at ${library}` });
  acts.keep({ action: 'retry', by: `${library}_operator`, lending: library, event: failed, result: 'done' });
  // What concerns everybody, or nobody: only riverside's part of it is riverside's to see.
  acts.keep({ action: 'login', by: `${library}_operator`, result: 'wrong' });
  acts.keep({ action: 'erase', by: 'root', lending: ['riverside', library], result: 'done' });
  await acts.close(1_000);
  const open = { homeKey: 'hilltop:7', open: ['HOME_GONE'] };
  await noteFindings(redis, library, [{ patronId: library.length, ...open }], now);
  await writeSweep(redis, {
    id: 'sweep_1',
    job: 'sweep.1',
    library,
    mode: 'full',
    dry_run: false,
    started_ms: now,
    ended_ms: now,
    after: 0,
    missing: 0,
    looked_up: 0,
    pages: 1,
    rows: 1,
    failed: null,
    unknown: {},
    homes: {},
    copies_before: {},
    last_full_ms: null,
    last_ms: null,
  } satisfies SweepState);
  return { failed, waiting, done, queued };
}

const PARAMETERS: Readonly<Record<string, () => string>> = {
  ':patron': () => '700',
  ':library': () => 'lakeside',
  ':eventId': () => foreign.failed,
  ':copy': () => String('lakeside'.length),
  ':queueName': () => 'scans',
  ':jobId': () => `lakeside.${foreign.failed}`,
  ':queueStatus': () => 'failed',
  ':status': () => 'failed',
  ':id': () => `lakeside.${foreign.failed}`,
  ':schedulerId': () => 'x',
  ':jobSchedulerKey': () => 'x',
  '*': () => 'dashboard.css',
};

/** An address that a route answers, about another library wherever it names one. */
function addressOf(url: string): string {
  return url.replaceAll(/:\w+|\*/g, (name) => {
    const value = PARAMETERS[name];
    if (value === undefined) throw new Error(`${url}: say in this test what ${name} of another library is`);
    return value();
  });
}

/** What somebody may add to an address to see another library. */
const guesses = (): readonly string[] => [
  '',
  ...['library', 'lending', 'home'].map((name) => `?${name}=lakeside`),
  '?library=lakeside&library=riverside',
  ...STATES.flatMap((state) => [`?state=${state}`, `?state=${state}&library=lakeside`]),
  ...['event', 'id', 'q'].map((name) => `?${name}=${foreign.failed}`),
  `?after=9999999999999_lakeside.${foreign.failed}`,
  ...['acts', 'refusals'].map((kind) => `?after=9999999999999-0-${kind}`),
  '?by=root',
  '?act=login',
  '?act=pause&library=lakeside',
];

async function as(
  url: string,
  method: HTTPMethods = 'GET',
  somebody: typeof SCOPED | typeof OPERATOR = SCOPED,
) {
  const headersOf = { authorization: basic(somebody) };
  const answer = await app.inject({
    url,
    method: method as 'GET',
    headers: headersOf,
  });
  const { statusCode, headers } = answer;
  const shown = `${answer.body} ${headers.location ?? ''}`.trim();
  return { statusCode, body: shown.replaceAll(/\s+/g, ' '), headers };
}

test('the routes are those of the real router', () => {
  const urls = routes.map(({ url }) => url);
  expect(urls).toEqual(
    expect.arrayContaining(['/', '/events/:library/:eventId', '/audit.json', '/board/api/queues']),
  );
  expect(routes.length).toBeGreaterThan(30);
});

test('nothing but the runbook, style sheets and pictures is declared to be the same for everybody', () => {
  const same = routes.filter(({ scope }) => scope === 'nothing');
  expect([...new Set(same.map(({ url }) => url))]).toEqual(['/runbook', '/assets/*']);
});

test('no route answers anything of another library, whatever is guessed', async () => {
  for (const { method, url, scope } of routes) {
    const mayAnswer = scope === 'filtered' || scope === 'nothing';
    for (const guess of scope === 'filtered' ? guesses() : ['']) {
      const address = `${addressOf(url)}${guess}`;
      const { statusCode, body } = await as(address, method);
      if (!mayAnswer) expect([method, address, statusCode]).toEqual([method, address, 404]);
      expect([method, address, OTHERS.exec(body)?.[0] ?? null]).toEqual([method, address, null]);
      const there = url === '/events/find' ? 404 : 200;
      if (mayAnswer && guess === '') expect([method, address, statusCode]).toEqual([method, address, there]);
    }
  }
  for (const id of Object.values(foreign)) {
    const job = await fixture.queue.getJob(`lakeside.${id}`);
    expect(parseJob(job?.data)).toMatchObject({ job: { progress: { attempt: 0 } } });
  }
  expect(await (await fixture.queue.getJob(`lakeside.${foreign.failed}`))?.getState()).toBe('failed');
  expect(fixture.lines().filter(({ action }) => action === 'retry' || action === 'discard')).toEqual([]);
});

test('the same addresses show the others to whoever may see them', async () => {
  const filtered = routes.filter(({ scope, method }) => scope === 'filtered' && method === 'GET');
  expect(filtered.length).toBeGreaterThan(4);
  for (const { url } of filtered) {
    const address = url === '/events/find' ? `${url}?id=${foreign.failed}` : addressOf(url);
    const { body } = await as(address, 'GET', OPERATOR);
    expect([url, OTHERS.test(body)]).toEqual([url, true]);
  }
  expect((await as(`/events/lakeside/${foreign.failed}`, 'GET', OPERATOR)).statusCode).toBe(200);
});

test('each page names its commands as they are typed in this installation', async () => {
  const compose = fixture.build({ install: 'compose' });
  const headers = { authorization: basic(OPERATOR) };
  const said = async (url: string): Promise<string> => {
    const { body } = await compose.inject({ url, headers });
    return body.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
  };
  const pages = routes.filter(({ method, url }) => method === 'GET' && !/^\/(?:board|assets)/.test(url));
  expect(pages.length).toBeGreaterThan(10);
  for (const { url } of pages)
    expect([url, /\bpassport (?!service )[a-z]+/.exec(await said(addressOf(url)))?.[0] ?? null]).toEqual([
      url,
      null,
    ]);
  for (const url of ['/libraries/lakeside/findings', `/events/lakeside/${foreign.failed}`])
    expect(await said(url)).toContain('docker compose run --rm cli ');
  await compose.close();
});

test('an event of another library is answered like one that does not exist, and like no page at all', async () => {
  const answers = await Promise.all(
    [
      `/events/lakeside/${foreign.failed}`,
      '/events/lakeside/evt_guess',
      '/events/nowhere/evt_1',
      '/nowhere',
    ].map(async (url) => {
      const { statusCode, body, headers } = await as(url);
      const { date: _date, ...others } = headers;
      return { statusCode, body, headers: others };
    }),
  );
  expect(answers[0]?.statusCode).toBe(404);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
});

test('copies to look at of another library are not found, and stay open', async () => {
  const url = '/libraries/lakeside/findings';
  expect((await as(url)).statusCode).toBe(404);
  expect((await as(`${url}/8/keep`, 'POST')).statusCode).toBe(404);
  expect(await readFindings(fixture.redis, 'lakeside')).toMatchObject([{ patronId: 8, isKept: false }]);
  expect((await as(url, 'GET', OPERATOR)).body).toContain('hilltop:7');
  expect(fixture.lines().filter(({ audit }) => audit === true)).toEqual([]);
});

test.each(['retry', 'promote', 'discard'])(
  '%s of another library is not found, and nothing happens',
  async (action) => {
    const url = `/events/lakeside/${foreign.failed}/${action}`;
    expect((await as(url, 'POST')).statusCode).toBe(404);
    expect(await (await fixture.queue.getJob(`lakeside.${foreign.failed}`))?.getState()).toBe('failed');
    expect(fixture.lines().filter(({ audit }) => audit === true)).toEqual([]);
  },
);

describe('their own library', () => {
  test('is there: its events in every state, and its figures alone', async () => {
    for (const state of STATES) {
      const list = (await as(`/events?state=${state}`)).body;
      expect([...list.matchAll(/href="\/events\/([^"?]+)"/g)].map(([, path]) => path)).toEqual([
        `riverside/${own[state]}`,
      ]);
      expect((await as(`/events/riverside/${own[state]}`)).statusCode).toBe(200);
    }
    const { body } = await as('/');
    for (const [count, label] of [
      [1, 'in the queue'],
      [1, 'waiting'],
      [1, 'failed'],
      [1, 'done'],
    ]) {
      expect(body).toMatch(new RegExp(`<span class="value">${count}</span> <span class="label">${label}`));
    }
    expect(body).toMatch(/Outcomes of the last 24 hours: 0 served, 3 unknown card/);
    expect((await as('/statistics.csv')).body.trim().split(' ')).toHaveLength(2);
    expect((await as('/statistics/settlement.csv')).body).not.toContain('lakeside');
    expect((await as('/statistics/settlement.csv', 'GET', OPERATOR)).body).toContain('midland,lakeside,5,');
    expect((await as('/sweeps?lending=riverside')).body).toContain('Sweeps over copies at Riverside');
  });

  test('has a page, without the scans of other libraries that wait for it', async () => {
    const next = new Date(Date.now() + 60_000).toISOString();
    const waiting_for = { library: 'riverside', reason: 'CIRCUIT_OPEN', next_try_at: next } as const;
    await fixture.put({ state: 'waiting', waiting_for }, { library: 'lakeside' });
    const page = '/libraries/riverside';
    const { statusCode, body } = await as(page);
    expect([statusCode, OTHERS.exec(body)?.[0] ?? null]).toEqual([200, null]);
    expect((await as(page, 'GET', OPERATOR)).body).toContain('/events/lakeside/');
    const waitingForIt = /data-label="Scans waiting for it" class="number">(\d+)</;
    expect(waitingForIt.exec((await as('/')).body)?.[1]).toBe('1');
  });

  test('has what is said of it alone, and whether the service runs', async () => {
    for (const url of ['/', '/libraries/riverside']) {
      const mine = (await as(url)).body;
      expect(mine).toContain('a pattern without ^ and $');
      expect((await as(url, 'GET', OPERATOR)).body).toContain('those of midland');
    }
    const { body } = await as('/');
    expect(body).toMatch(/Workers<\/dt> <dd><span class="state state-up">1 live/);
    expect(body).not.toContain('Each process');
    expect((await as('/', 'GET', OPERATOR)).body).toMatch(/machine-of-midland has refused the configuration/);
  });

  test('has its events retried and discarded, each in the audit log', async () => {
    expect((await as(`/events/riverside/${own.failed}/retry`, 'POST')).statusCode).toBe(303);
    expect((await as(`/events/riverside/${own.waiting}/discard`, 'POST')).statusCode).toBe(303);
    const acts = fixture.lines().filter(({ audit }) => audit === true);
    expect(acts.map(({ by, action, lending, result }) => [by, action, lending, result])).toEqual([
      ['rita', 'retry', 'riverside', 'done'],
      ['rita', 'discard', 'riverside', 'done'],
    ]);
  });

  test('has no queue board, and no way to it', async () => {
    for (const url of ['/', `/events/riverside/${own.failed}`]) {
      expect((await as(url)).body).not.toContain('/board');
      expect((await as(url, 'GET', OPERATOR)).body).toContain('/board');
    }
  });
});
