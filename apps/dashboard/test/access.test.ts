import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogin } from '../src/login/login.ts';
import {
  type DashboardFixture,
  OPERATOR,
  VIEWER,
  injectOnce,
  basic,
  openDashboardFixture,
} from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const FAILED = { state: 'failed', outcome: 'MISCONFIGURED' } as const;
const PATHS = [
  '/',
  '/events',
  '/events?state=failed',
  '/events/riverside/evt_1',
  '/assets/dashboard.css',
  '/assets/icon.svg',
  '/board/',
  '/board/queue/scans',
  '/board/api/queues',
  '/board/api/redis/stats',
  '/board/api/queues/scans/riverside.evt_1',
  '/board/static/js/main.js',
  '/board/static/locales/en-US/messages.json',
  '/no/such/page',
];

/** The paths of our own pages that name no event: whoever adds one has it checked with the others. */
async function ownPages(): Promise<readonly string[]> {
  const pages = new Set<string>();
  const app = fixture.build();
  app.addHook('onRoute', ({ method, url }) => {
    if ([method].flat().includes('GET') && !/[:*]|^\/board/.test(url)) pages.add(url);
  });
  await app.ready();
  await app.close();
  expect(pages).toContain('/statistics');
  return [...pages];
}

test('of what strangers and users are refused without end, the log has a sample, and how much is left out', async () => {
  let now = 1_000_000;
  const app = fixture.build({ now: () => now, login: createLogin([VIEWER], () => now) });
  const refusedTo = (authorization: string, method: 'GET' | 'POST') =>
    app.inject({ method, url: '/', headers: { authorization } });
  const lines = () => fixture.lines().filter(({ audit }) => audit === true);
  for (let n = 0; n < 40; n += 1) await refusedTo(basic({ user: 'nobody', password: `guess ${n}` }), 'GET');
  expect(lines().map(({ result }) => result)).toEqual([
    ...Array<string>(5).fill('wrong'),
    ...Array<string>(10).fill('locked'),
  ]);
  now += 60_000;
  for (let n = 0; n < 40; n += 1) await refusedTo(basic(VIEWER), 'POST');
  expect(lines().filter(({ action }) => action === 'write')).toHaveLength(10);
  for (let n = 0; n < 6; n += 1) await refusedTo(basic({ user: 'nobody', password: `again ${n}` }), 'GET');
  expect(lines().at(-1)).toMatchObject({ action: 'login', result: 'locked', left_out: 25 });
  await app.close();
});

describe('without a login', () => {
  const expectNothing = async (url: string): Promise<void> => {
    const answer = await fixture.request({ url, as: null });
    expect([url, answer.statusCode]).toEqual([url, 401]);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Patron Passport", charset="UTF-8"');
    const words = answer.body
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    expect(words).toBe('Patron Passport Patron Passport Log in to see this page. To the dashboard');
  };

  test.each(PATHS)('nothing is at %s', expectNothing);

  test('nothing is at any page', async () => {
    for (const url of await ownPages()) await expectNothing(url);
  });

  test('somebody who logs out has their right password refused once, so that the browser forgets it', async () => {
    const [page, out] = [await fixture.request({ url: '/' }), await fixture.request({ url: '/logout?now' })];
    expect(page.body).toContain('<a href="/logout">Log out</a>');
    expect(out.statusCode).toBe(401);
    expect(out.body).toMatch(/You are logged out\.<\/p>\s*<p><a href="\/">To the dashboard<\/a>/);
    expect(out.headers['www-authenticate']).toMatch(/^Basic /);
    expect((await fixture.request({ url: '/' })).statusCode).toBe(200);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'] as const)(
    'a %s needs one, too',
    async (method) => {
      const answer = await fixture.request({
        method,
        url: '/board/api/queues/scans/riverside.evt_1/retry',
        as: null,
      });
      expect(answer.statusCode).toBe(401);
    },
  );

  test('a path that cannot be decoded gets an answer that says nothing', async () => {
    const answer = await fixture.request({ url: '/%E0%A4%A', as: null });
    expect([answer.statusCode, answer.body]).toEqual([400, 'Bad request\n']);
  });
});

test('guessing is answered 429 with retry-after, and each try is in the log without the password', async () => {
  const app = fixture.build();
  const wrong = { authorization: basic({ user: OPERATOR.user, password: 'guess-guess' }) };
  const codes: number[] = [];
  for (let n = 0; n < 5; n += 1) codes.push((await app.inject({ url: '/', headers: wrong })).statusCode);
  const locked = await app.inject({ url: '/', headers: { authorization: basic(OPERATOR) } });
  await app.close();
  expect(codes).toEqual([401, 401, 401, 401, 401]);
  expect([locked.statusCode, locked.headers['retry-after']]).toEqual([429, '60']);
  const lines = fixture.lines().filter(({ action }) => action === 'login');
  expect(lines.map(({ by, result, audit }) => [by, result, audit])).toEqual([
    ...Array.from({ length: 5 }, () => ['olga', 'wrong', true]),
    ['olga', 'locked', true],
  ]);
  expect(JSON.stringify(fixture.lines())).not.toContain('guess-guess');
});

describe('a viewer', () => {
  test.each(['/', '/events', '/board/queue/scans', '/board/api/queues'])('sees %s', async (url) => {
    expect((await fixture.request({ url, as: VIEWER })).statusCode).toBe(200);
  });

  test('sees no buttons, neither on an event nor on the board', async () => {
    const id = await fixture.put(FAILED);
    const page = await fixture.request({ url: `/events/riverside/${id}`, as: VIEWER });
    expect(page.body).toContain('Your login is read-only.');
    expect(page.body).not.toContain('<button');
    const board = await fixture.request({
      url: '/board/api/queues?activeQueue=scans&status=failed',
      as: VIEWER,
    });
    const { queues } = board.json<{ queues: Record<string, unknown>[] }>();
    expect(queues[0]).toMatchObject({
      readOnlyMode: true,
      allowRetries: false,
      allowCompletedRetries: false,
    });
  });

  test.each([
    ['POST', (id: string) => `/events/riverside/${id}/retry`],
    ['POST', (id: string) => `/events/riverside/${id}/discard`],
    ['PUT', (id: string) => `/board/api/queues/scans/riverside.${id}/retry`],
    ['PUT', (id: string) => `/board/api/queues/scans/riverside.${id}/clean`],
    ['PUT', () => '/board/api/queues/scans/retry/failed'],
    ['PATCH', (id: string) => `/board/api/queues/scans/riverside.${id}/update-data`],
  ] as const)('cannot change anything by a hand-made %s', async (method, path) => {
    const id = await fixture.put(FAILED);
    const answer = await fixture.request({
      method,
      url: path(id),
      as: VIEWER,
      headers: { 'x-passport-role': 'operator' },
    });
    expect(answer.statusCode).toBe(403);
    expect(await (await fixture.queue.getJob(`riverside.${id}`))?.getState()).toBe('failed');
    expect(fixture.lines()).toContainEqual(
      expect.objectContaining({ audit: true, action: 'write', by: 'victor', result: 'may only look' }),
    );
  });
});

describe('a request from another site', () => {
  test.each([
    ['a form', { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' }],
    ['a script', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a frame without an origin', { origin: 'null' }],
  ])('(%s) changes nothing, although the browser adds the login', async (_what, headers) => {
    const id = await fixture.put(FAILED);
    const answer = await fixture.request({ method: 'POST', url: `/events/riverside/${id}/retry`, headers });
    expect(answer.statusCode).toBe(403);
    expect(await (await fixture.queue.getJob(`riverside.${id}`))?.getState()).toBe('failed');
  });

  test('our own form is taken', async () => {
    const id = await fixture.put(FAILED);
    const answer = await fixture.request({
      method: 'POST',
      url: `/events/riverside/${id}/retry`,
      headers: {
        host: 'passport.example.org',
        origin: 'https://passport.example.org',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: '',
    });
    expect(answer.statusCode).toBe(303);
  });
});

test('pages and board may be framed by nobody, run no script of others, and are not stored', async () => {
  const [page, board] = [await fixture.request({ url: '/' }), await fixture.request({ url: '/board/' })];
  expect(page.headers).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  expect(String(page.headers['content-security-policy'])).toMatch(/default-src 'none'/);
  expect(String(page.headers['content-security-policy'])).not.toMatch(/script-src|unsafe/);
  expect(String(board.headers['content-security-policy'])).toMatch(/script-src 'self';/);
  expect(String(board.headers['content-security-policy'])).not.toMatch(
    /upgrade-insecure-requests|unsafe-eval/,
  );
});

describe('security headers are on every answer', () => {
  const wrong = { authorization: basic({ user: OPERATOR.user, password: 'guess-guess' }) };
  const strict = {
    'content-security-policy': expect.stringMatching(/^default-src 'none';(?!.*(?:script-src|unsafe))/),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000',
  };

  test.each([
    [200, 'a page', { url: '/' }],
    [401, 'no login', { url: '/', as: null }],
    [401, 'no login at the board', { url: '/board/', as: null }],
    [403, 'a viewer who writes', { url: '/events/riverside/evt_1/retry', method: 'POST', as: VIEWER }],
    [404, 'no such page', { url: '/no/such/page' }],
    [
      415,
      'a body that is not read',
      { url: '/events/riverside/evt_1/retry', method: 'POST', payload: '<a/>' },
    ],
  ] as const)('%i: %s', async (code, _what, options) => {
    const headers = 'payload' in options ? { 'content-type': 'text/xml' } : {};
    const answer = await fixture.request({ ...options, headers });
    expect(answer.statusCode).toBe(code);
    expect(answer.headers).toMatchObject(strict);
  });

  test('a page that is not there has a way on', async () => {
    const { body } = await fixture.request({ url: '/no/such/page' });
    expect(body).toContain('<a href="/">To the overview</a>');
  });

  test('429: a guesser who waits', async () => {
    const app = fixture.build();
    for (let n = 0; n < 5; n += 1) await app.inject({ url: '/', headers: wrong });
    const locked = await app.inject({ url: '/', headers: wrong });
    await app.close();
    expect(locked.statusCode).toBe(429);
    expect(locked.headers).toMatchObject(strict);
  });

  test('400: a path that cannot be decoded', async () => {
    const answer = await fixture.request({ url: '/%E0%A4%A', as: null });
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });

  test('the board has the same, but for what its own script needs', async () => {
    const { 'content-security-policy': _strictest, ...others } = strict;
    for (const url of ['/board/', '/board/api/queues']) {
      const { headers } = await fixture.request({ url });
      expect(headers).toMatchObject(others);
      expect(String(headers['content-security-policy'])).toMatch(/^default-src 'none';script-src 'self';/);
    }
  });
});

test('no page refers to anything outside', async () => {
  await fixture.put(FAILED);
  for (const url of [...(await ownPages()), '/board/', '/assets/dashboard.css', '/assets/board.css']) {
    const { statusCode, body } = await fixture.request({ url });
    // Without an id nothing is found, which is a page all the same.
    expect([url, statusCode]).toEqual([url, url === '/events/find' ? 404 : 200]);
    expect(body.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
  }
});

describe('under a base path', () => {
  const build = () => fixture.build({ basePath: '/passport' });

  test.each(['/passport/', '/passport', '/', '/passport/events', '/events', '/passport/board/queue/scans'])(
    '%s is found, whether the proxy passes the path on or strips it',
    async (url) => {
      expect((await injectOnce(build(), { url })).statusCode).toBe(200);
    },
  );

  test('all links stay under it', async () => {
    const pages = (await ownPages()).filter((url) => !/\.(?:csv|json)$/.test(url));
    for (const url of [...pages, '/board/']) {
      const { body } = await injectOnce(build(), { url: `/passport${url}` });
      const links = [...body.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, link]) => link);
      const outside = links.filter((link) => link?.startsWith('/') && !link.startsWith('/passport/'));
      expect([url, outside]).toEqual([url, []]);
      expect(links.length).toBeGreaterThan(3);
    }
  });

  test('nothing is there without a login', async () => {
    expect((await injectOnce(build(), { url: '/passport/board/api/queues', as: null })).statusCode).toBe(401);
  });
});

describe('what the board answers', () => {
  test.each([
    '/board/',
    '/board/api/queues',
    '/board/api/queues/scans/riverside.evt_1',
    '/board/api/nothing',
  ])('%s stays in no cache', async (url) => {
    for (const as of [OPERATOR, VIEWER, null])
      expect((await fixture.request({ url, as })).headers['cache-control']).toBe('no-store');
  });

  test('does not reveal which Redis, system or version is behind it', async () => {
    const version = /redis_version:(\S+)/.exec(await fixture.redis.info('server'))?.[1] ?? '';
    expect(version).not.toBe('');
    for (const as of [OPERATOR, VIEWER]) {
      for (const url of ['/board/api/redis/stats', '/board/api/queues', '/board/', '/'])
        expect((await fixture.request({ url, as })).body).not.toContain(version);
    }
    expect((await fixture.request({ url: '/board/api/redis/stats', as: VIEWER })).statusCode).toBe(403);
  });
});

test.each(['/%zz', '/passport/%zz', '/board/%zz'])(
  '%s, which never gets to a page, has security headers',
  async (url) => {
    const { headers, statusCode } = await fixture.request({ url, as: null });
    expect([400, 401]).toContain(statusCode);
    expect(headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  },
);
