import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { DashboardDeps } from '../src/build-dashboard.ts';
import { type DashboardFixture, OPERATOR, basic, openDashboardFixture } from './dashboard-fixture.ts';

const PROXY = '172.18.0.1';
const GUESSER = '198.51.100.7';
const STAFF = '192.0.2.20';
const MOST_GUESSES = 5;

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

/** Wrong passwords from one address and then the right one from another, all of them through `via`. */
async function codeAfterGuesses(trustProxy: DashboardDeps['trustProxy'], via = PROXY): Promise<number> {
  const app = fixture.build({ trustProxy });
  const login = async (from: string, password: string): Promise<number> => {
    const authorization = basic({ user: OPERATOR.user, password });
    const headers = { authorization, 'x-forwarded-for': from };
    return (await app.inject({ url: '/', headers, remoteAddress: via })).statusCode;
  };
  for (let n = 0; n < MOST_GUESSES; n += 1) expect(await login(GUESSER, 'guess-guess')).toBe(401);
  expect(await login(GUESSER, OPERATOR.password)).toBe(429);
  const code = await login(STAFF, OPERATOR.password);
  await app.close();
  return code;
}

describe('guesses through a proxy', () => {
  test.each<[string, DashboardDeps['trustProxy']]>([
    ['its address', PROXY],
    ['uniquelocal', 'uniquelocal'],
    ['one hop', 1],
  ])('that is trusted by %s count for the address behind it', async (_how, trustProxy) => {
    expect(await codeAfterGuesses(trustProxy)).toBe(200);
    expect(fixture.lines()).toContainEqual(
      expect.objectContaining({ action: 'login', result: 'locked', from: GUESSER }),
    );
  });

  test('that is not trusted count for the proxy: the header can be forged', async () => {
    expect(await codeAfterGuesses(false)).toBe(429);
    expect(await codeAfterGuesses(PROXY, '203.0.113.5')).toBe(429);
  });
});
