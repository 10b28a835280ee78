import { expect, test } from '@jest/globals';
import { createGuesses, createLogin } from '../src/login/login.ts';

const OPERATOR = { user: 'olga', password: 'correct:horse', role: 'operator', libraries: 'all' } as const;
const VIEWER = { user: 'Viktor Ü', password: 'bätterie', role: 'viewer', libraries: ['riverside'] } as const;
const HOME = '192.0.2.1';
const MINUTE = 60_000;

function arrange() {
  let nowMs = 1_000_000;
  const login = createLogin([OPERATOR, VIEWER], () => nowMs);
  const header = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const tryIn = (user: string, password: string, from = HOME) => login(header(user, password), from);
  const guess = (times: number, from = HOME, user = 'olga') => {
    for (let n = 0; n < times; n += 1) tryIn(user, `guess ${n}`, from);
  };
  return { login, tryIn, guess, later: (ms: number) => void (nowMs += ms) };
}

test('each user is let in with their own role, also with colons and umlauts', () => {
  const { tryIn } = arrange();
  expect(tryIn(OPERATOR.user, OPERATOR.password)).toEqual({
    kind: 'in',
    person: { user: 'olga', role: 'operator', libraries: 'all' },
  });
  expect(tryIn(VIEWER.user, VIEWER.password)).toEqual({
    kind: 'in',
    person: { user: 'Viktor Ü', role: 'viewer', libraries: ['riverside'] },
  });
});

test.each([
  undefined,
  '',
  'Basic',
  'Basic !!!',
  'Bearer abc',
  `Basic ${Buffer.from('nocolon').toString('base64')}`,
])('without readable credentials (%p) it requests them', (authorization) => {
  expect(arrange().login(authorization, HOME)).toEqual({ kind: 'unauthenticated' });
});

test('a wrong password is wrong, whoever else it belongs to', () => {
  const { tryIn } = arrange();
  expect(tryIn('olga', VIEWER.password)).toEqual({ kind: 'wrong', user: 'olga' });
  expect(tryIn('olga', '')).toEqual({ kind: 'wrong', user: 'olga' });
});

test('an unknown user is not named: it may be a password in the wrong field', () => {
  expect(arrange().tryIn('correct:horse', 'olga')).toEqual({ kind: 'wrong', user: null });
});

test('after five wrong tries an address waits, and the right password is refused like a wrong one', () => {
  const { tryIn, guess, later } = arrange();
  guess(5);
  expect(tryIn('olga', OPERATOR.password)).toEqual({ kind: 'locked', user: 'olga', retryAfterSeconds: 60 });
  later(MINUTE - 1);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'locked', retryAfterSeconds: 1 });
  later(1);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
});

test('each further wrong try doubles the wait', () => {
  const { tryIn, guess, later } = arrange();
  guess(5);
  later(MINUTE);
  guess(1);
  expect(tryIn('olga', 'x')).toMatchObject({ retryAfterSeconds: 120 });
  later(2 * MINUTE);
  guess(1);
  expect(tryIn('olga', 'x')).toMatchObject({ retryAfterSeconds: 240 });
});

test('the wait grows to an hour for whoever waits out each lock', () => {
  const { tryIn, guess, later } = arrange();
  guess(5);
  for (const minutes of [1, 2, 4, 8, 16, 32, 60]) {
    expect(tryIn('olga', 'x')).toMatchObject({ kind: 'locked', retryAfterSeconds: minutes * 60 });
    later(minutes * MINUTE + 1);
    guess(1);
  }
  expect(tryIn('olga', 'x')).toMatchObject({ retryAfterSeconds: 3600 });
});

test('typos are forgotten after a while and by the right password', () => {
  const { tryIn, guess, later } = arrange();
  guess(4);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
  guess(4);
  later(16 * MINUTE);
  guess(4);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
});

test('a reload forgets no guess, and a user who is in stays in', () => {
  const now = () => 1_000_000;
  const guesses = createGuesses(now);
  const header = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const before = createLogin([OPERATOR, VIEWER], now, guesses);
  expect(before(header(OPERATOR.user, OPERATOR.password), HOME)).toMatchObject({ kind: 'in' });
  for (let n = 0; n < 5; n += 1) before(header('nobody', `guess ${n}`), HOME);

  const after = createLogin([OPERATOR, VIEWER], now, guesses);
  expect(after(header(VIEWER.user, VIEWER.password), HOME)).toMatchObject({ kind: 'locked' });
  expect(after(header(OPERATOR.user, OPERATOR.password), HOME)).toMatchObject({ kind: 'in' });
});

test('other addresses are not locked by the guesses of one', () => {
  const { tryIn, guess } = arrange();
  guess(5);
  expect(tryIn('olga', OPERATOR.password, '192.0.2.2')).toMatchObject({ kind: 'in' });
});

test('guesses at one user from many addresses keep that user out nowhere else', () => {
  const { tryIn, guess } = arrange();
  for (let n = 0; n < 50; n += 1) guess(5, `198.51.100.${n}`);
  expect(tryIn('olga', OPERATOR.password, '203.0.113.9')).toMatchObject({ kind: 'in' });
  expect(tryIn('olga', OPERATOR.password, '198.51.100.7')).toMatchObject({ kind: 'locked' });
});

test('who has logged in from an address is not locked out by guesses from elsewhere', () => {
  const { tryIn, guess } = arrange();
  tryIn('olga', OPERATOR.password);
  for (let n = 0; n < 20; n += 1) guess(1, `198.51.100.${n}`);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
});

test('who is in stays in when somebody guesses from the same address, as behind one proxy', () => {
  const { tryIn, guess, later } = arrange();
  tryIn('olga', OPERATOR.password);
  guess(5, HOME, 'nobody');
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
  expect(tryIn(VIEWER.user, VIEWER.password)).toMatchObject({ kind: 'locked', user: VIEWER.user });
  later(MINUTE);
  expect(tryIn(VIEWER.user, VIEWER.password)).toMatchObject({ kind: 'in' });
});

test('the requests of somebody who is in do not forgive the guesses of others at their address', () => {
  const { tryIn, guess } = arrange();
  tryIn('olga', OPERATOR.password);
  for (let n = 0; n < 5; n += 1) {
    guess(1, HOME, 'nobody');
    expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
  }
  expect(tryIn('nobody', 'x')).toMatchObject({ kind: 'locked' });
});

test('a name that is in cannot be guessed at for ever from its own address', () => {
  const { tryIn, guess, later } = arrange();
  tryIn('olga', OPERATOR.password);
  guess(5);
  expect(tryIn('olga', 'x')).toMatchObject({ kind: 'locked' });
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'locked' });
  later(MINUTE);
  expect(tryIn('olga', OPERATOR.password)).toMatchObject({ kind: 'in' });
});

test('an IPv6 network counts as one address, and an IPv4 address is the same in both forms', () => {
  const { tryIn, guess } = arrange();
  for (let n = 1; n <= 5; n += 1) guess(1, `2001:db8:0:7::${n}`, 'nobody');
  expect(tryIn('olga', 'x', '2001:db8::7:0:0:0:99')).toMatchObject({ kind: 'locked' });
  expect(tryIn('olga', OPERATOR.password, '2001:db8:0:8::1')).toMatchObject({ kind: 'in' });
  guess(5, '::ffff:192.0.2.77', 'nobody');
  expect(tryIn('olga', 'x', '192.0.2.77')).toMatchObject({ kind: 'locked' });
});

test('very many addresses do not fill the memory, and the newest stay locked', () => {
  const { tryIn, guess } = arrange();
  for (let n = 0; n < 12_000; n += 1) guess(1, `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 'nobody');
  guess(5, '203.0.113.1', 'nobody');
  expect(tryIn('nobody', 'x', '203.0.113.1')).toMatchObject({ kind: 'locked' });
});
