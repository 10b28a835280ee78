import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type DashboardFixture, OPERATOR, SCOPED, basic, openDashboardFixture } from './dashboard-fixture.ts';
import { createProxyLogin } from '../src/login/proxy-login.ts';

const PROXY = '172.18.0.5';
const STRANGER = '203.0.113.9';
const RITA = { user: 'rita@riverside.example', role: 'operator', libraries: ['riverside'] } as const;
const VERA = { user: 'vera', role: 'viewer', libraries: 'all' } as const;
const HEADER = 'x-forwarded-user';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

interface Wish {
  readonly url?: string;
  readonly method?: 'GET' | 'POST';
  readonly peer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
}
async function request({
  url = '/',
  method = 'GET',
  peer = PROXY,
  headers = {},
  from = '172.18.0.0/16',
}: Wish) {
  const proxyLogin = createProxyLogin({ header: HEADER, from, people: [RITA, VERA] });
  const app = fixture.build({ proxyLogin, trustProxy: 'uniquelocal' });
  try {
    const { statusCode, body } = await app.inject({ url, method, headers, remoteAddress: peer });
    return { statusCode, body: body.replaceAll(/\s+/g, ' ') };
  } finally {
    await app.close();
  }
}
const as = (user: string) => ({ [HEADER]: user });

describe('whom the proxy has logged in', () => {
  test('is in, with the role and the libraries of the user of that name', async () => {
    const id = await fixture.put({ state: 'failed', outcome: 'TOO_LATE' });
    const foreign = await fixture.put({ state: 'failed', outcome: 'TOO_LATE' }, { library: 'midland' });
    const page = await request({ headers: as(RITA.user) });
    expect(page.statusCode).toBe(200);
    expect(page.body).toMatch(/rita@riverside\.example <span class="role">operator<.*?riverside only/);
    expect(page.body).not.toContain('Log out');
    expect((await request({ headers: as(RITA.user), url: `/events/midland/${foreign}` })).statusCode).toBe(
      404,
    );
    const retry = await request({
      headers: as(RITA.user),
      url: `/events/riverside/${id}/retry`,
      method: 'POST',
    });
    expect(retry.statusCode).toBe(303);
    expect(fixture.lines()).toContainEqual(
      expect.objectContaining({ audit: true, action: 'retry', by: RITA.user, event: id }),
    );
  });

  test('may do no more than that user', async () => {
    const id = await fixture.put({ state: 'failed', outcome: 'TOO_LATE' });
    const retry = await request({
      headers: as('vera'),
      url: `/events/riverside/${id}/retry`,
      method: 'POST',
    });
    expect(retry.statusCode).toBe(403);
  });

  test.each(['nobody', 'Rita@riverside.example', `${RITA.user}, vera`, 'olga'])(
    'is refused where %j is no user of the file, and not named in the log',
    async (user) => {
      const { statusCode, body } = await request({ headers: as(user) });
      expect([statusCode, body]).toEqual([
        403,
        expect.stringContaining('Your account is no user of this dashboard.'),
      ]);
      expect(body).not.toContain(user);
      const lines = fixture.lines().filter(({ action }) => action === 'login');
      expect(lines).toEqual([expect.objectContaining({ audit: true, by: null, result: 'unknown' })]);
    },
  );

  test('still writes from our own pages only', async () => {
    const id = await fixture.put({ state: 'failed', outcome: 'TOO_LATE' });
    const headers = { ...as(RITA.user), origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const answer = await request({ headers, url: `/events/riverside/${id}/retry`, method: 'POST' });
    expect(answer.statusCode).toBe(403);
  });
});

describe('the header is not believed', () => {
  test.each([
    ['from another address', { peer: STRANGER }],
    [
      'from another address that says it is the proxy',
      { peer: STRANGER, headers: { 'x-forwarded-for': PROXY } },
    ],
    ['from an address that is only a trusted proxy for X-Forwarded-For', { peer: '172.19.0.1' }],
    [
      'from a proxy that is trusted for X-Forwarded-For and says it is this one',
      { peer: '172.19.0.1', headers: { 'x-forwarded-for': PROXY } },
    ],
    ['from an address that is none', { peer: '' }],
  ])('%s', async (_what, wish) => {
    const headers = { ...as(RITA.user), ...('headers' in wish ? wish.headers : {}) };
    expect((await request({ ...wish, headers })).statusCode).toBe(401);
  });

  test('where no proxy is set', async () => {
    const answer = await fixture.request({
      url: '/',
      as: null,
      headers: as(RITA.user),
      remoteAddress: PROXY,
    });
    expect(answer.statusCode).toBe(401);
  });
});

test('the address of the user, which the proxy passes on, does not matter', async () => {
  const headers = { ...as(RITA.user), 'x-forwarded-for': STRANGER };
  expect((await request({ headers })).statusCode).toBe(200);
});

test('an IPv4 proxy is known in its IPv6 form, too', async () => {
  const headers = as(RITA.user);
  expect((await request({ headers, peer: `::ffff:${PROXY}` })).statusCode).toBe(200);
  expect((await request({ headers, peer: '::1', from: '10.0.0.1, loopback' })).statusCode).toBe(200);
});

test('without the header a password is needed, and a password still works beside it', async () => {
  expect((await request({})).statusCode).toBe(401);
  expect((await request({ headers: as('') })).statusCode).toBe(401);
  for (const somebody of [OPERATOR, SCOPED]) {
    expect((await request({ headers: { authorization: basic(somebody) } })).statusCode).toBe(200);
  }
});
