import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseEvent } from '@passport/contract';
import { leakGuard } from '@passport/testkit';
import { startFakeReceiver } from './fake-receiver.ts';
import { consortiumOf, jsonOf, passport, webhookSecretOf } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

const CARD = '21234000000017';
const koha = {
  url: 'http://127.0.0.1:9',
  credentials: { clientId: 'an-id-of-a-key', clientSecret: 'planted-secret-7f3e' },
};
const env = (receiver: string, change = {}) => ({
  ...consortiumOf([
    { library: 'riverside', ...koha, change },
    { library: 'midland', ...koha, url: 'http://127.0.0.1:8', change: { webhook_secrets: [] } },
  ]),
  PASSPORT_RECEIVER: receiver,
});
const startReceiver = async (script?: Parameters<typeof startFakeReceiver>[1]) =>
  own(await startFakeReceiver(webhookSecretOf('riverside'), script));

const state = (change: Readonly<Record<string, unknown>>) => ({
  event_id: 'evt_test_1',
  library: 'riverside',
  seq: 1,
  state: 'queued',
  outcome: null,
  reasons: [],
  homes: [],
  patron_id: null,
  checkout: null,
  waiting_for: null,
  problem: null,
  attempt: 0,
  libraries: [],
  message: 'Waiting in the queue.',
  scanned_at: '2026-11-25T09:00:00.000+00:00',
  updated_at: '2026-11-25T09:00:00.000Z',
  ...change,
});
const waiting = state({
  seq: 3,
  state: 'waiting',
  waiting_for: { library: 'midland', reason: 'NO_ANSWER', next_try_at: '2026-11-25T09:00:02.000Z' },
  message: 'No answer yet from midland.',
});
const done = state({
  seq: 5,
  state: 'done',
  outcome: 'COPIED',
  checkout: { result: 'CHECKED_OUT', keys: [] },
  message: 'Found at midland. You can check out now.',
});

test('sends a signed event that the receiver understands, with card and item from standard input', async () => {
  const receiver = await startReceiver();
  const args = ['send', '--at', 'riverside', '--card', '-', '--item', '-', '--branch', 'NORTH'];
  const { code, out } = await passport(args, env(receiver.url), { input: `${CARD}\n39999000012345\n` });
  expect({ code, out }).toEqual({ code: 0, out: 'accepted: evt_test_1\n' });
  const [request] = receiver.arrived;
  expect(request).toMatchObject({
    method: 'POST',
    url: '/webhooks/riverside',
    id: 'evt_test_1',
    genuine: true,
  });
  const parsed = parseEvent(JSON.parse(request?.body ?? ''), Math.floor(Date.now() / 1000));
  expect(parsed).toMatchObject({ kind: 'patron.not_found' });
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    data: { cardnumber: CARD, item_barcode: '39999000012345', branch: 'NORTH' },
  });
});

test('a barcode as an argument, which a process list shows, is refused and not repeated', async () => {
  const args = ['send', '--at', 'riverside', '--card', '-', '--item', '39999000012345'];
  const { code, err } = await passport(args, env('http://127.0.0.1:1'), { input: `${CARD}\n` });
  expect(code).toBe(2);
  expect(err).toContain('--item accepts only -');
  expect(err).not.toContain('39999000012345');
});

test('at a terminal there is a prompt for each line, and Enter is enough', async () => {
  const receiver = await startReceiver();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.write(`${CARD}\n`);
  setImmediate(() => stdin.write('39999000012345\n'));
  const args = ['send', '--at', 'riverside', '--card', '-', '--item', '-'];
  const { code, err } = await passport(args, env(receiver.url), { stdin });
  expect({ code, err }).toEqual({ code: 0, err: 'card: item barcode: ' });
  expect(JSON.parse(receiver.arrived[0]?.body ?? '')).toMatchObject({
    data: { item_barcode: '39999000012345' },
  });
});

test.each([
  [{}, 'MAIN'],
  [{ copy: { category: 'PT', branch: { fixed: 'SOUTH' } } }, 'SOUTH'],
])('without a branch it is the fixed one, or MAIN (%j)', async (change, branch) => {
  const receiver = await startReceiver();
  await passport(['send', '--at', 'riverside', '--card', '-'], env(receiver.url, change), { input: CARD });
  expect(JSON.parse(receiver.arrived[0]?.body ?? '')).toMatchObject({ data: { branch } });
});

describe('--wait', () => {
  const args = ['send', '--at', 'riverside', '--card', '-', '--wait'];

  test('reports each change once, up to the outcome', async () => {
    const get: [number, unknown][] = [
      [200, state({})],
      [200, state({})],
      [503, {}],
      [200, waiting],
      [200, done],
    ];
    const receiver = await startReceiver({ get });
    const { code, out } = await passport(args, env(receiver.url), { input: CARD });
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      'accepted: evt_test_1',
      expect.stringMatching(/^queued +Waiting in the queue\.$/),
      expect.stringMatching(/^waiting +midland NO_ANSWER, next try .* No answer yet from midland\.$/),
      expect.stringMatching(/^done +COPIED · CHECKED_OUT +Found at midland\. You can check out now\.$/),
    ]);
    const reads = receiver.arrived.filter(({ method }) => method === 'GET');
    expect(reads.every(({ genuine, url }) => genuine && url === '/webhooks/riverside/evt_test_1')).toBe(true);
  });

  test('as JSON: the answer, every step, and the last state', async () => {
    const receiver = await startReceiver({
      get: [
        [200, waiting],
        [200, done],
      ],
    });
    const ran = await passport([...args, '--json'], env(receiver.url), { input: CARD });
    expect(jsonOf(ran)).toEqual({
      library: 'riverside',
      event_id: 'evt_test_1',
      answer: 'accepted',
      state: done,
      steps: [waiting, done],
    });
  });

  test('follows the first event of a double scan', async () => {
    const post = [202, { event_id: 'evt_first', status: 'accepted', joined: true }] as const;
    const receiver = await startReceiver({ post, get: [[200, done]] });
    const { out } = await passport(args, env(receiver.url), { input: CARD });
    expect(out).toMatch(/^joined: evt_first\n/);
    expect(receiver.arrived[1]).toMatchObject({
      url: '/webhooks/riverside/evt_first',
      id: 'evt_first',
      genuine: true,
    });
  });

  test('a failed event ends with 1', async () => {
    const failed = state({
      seq: 3,
      state: 'failed',
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'category', name: 'PT' },
    });
    const receiver = await startReceiver({ get: [[200, failed]] });
    const { code, out } = await passport(args, env(receiver.url), { input: CARD });
    expect(code).toBe(1);
    expect(out).toMatch(/failed +MISCONFIGURED · riverside: category PT/);
  });

  test('when its time is over it says how to go on, and ends with 1', async () => {
    const receiver = await startReceiver({ get: [[200, waiting]] });
    const { code, err } = await passport([...args, '--for', '200ms'], env(receiver.url), { input: CARD });
    expect(code).toBe(1);
    expect(err).toBe('not ended yet; follow it with: passport events show evt_test_1 --at riverside\n');
  });
});

describe('a refusal is reported with its code, and ends with 1', () => {
  test.each<[number, unknown, string, RegExp]>([
    [
      401,
      { code: 'unauthorized', title: 'The signature does not fit' },
      'unauthorized',
      /answers 401: .*secret/,
    ],
    [
      401,
      { code: 'unauthorized', reason: 'clock', detail: 'webhook-timestamp is 400 s off' },
      'unauthorized',
      /answers 401: webhook-timestamp is 400 s off\n$/,
    ],
    [429, { code: 'rate_limited', title: 'Too many events for now' }, 'rate_limited', /answers 429/],
    [503, 'down for now', 'http_503', /cannot accept events now/],
    [200, '<html>', 'http_200', /not an answer of a receiver/],
  ])('%i', async (status, body, code, expected) => {
    const receiver = await startReceiver({ post: [status, body] });
    const args = ['send', '--at', 'riverside', '--card', '-'];
    const ran = await passport(args, env(receiver.url), { input: CARD });
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' });
    expect(ran.err).toMatch(expected);
    const asJson = await passport([...args, '--json'], env(receiver.url), { input: CARD });
    expect(jsonOf(asJson)).toMatchObject({ error: { status, code } });
  });

  test('a receiver that is not there', async () => {
    const args = ['send', '--at', 'riverside', '--card', '-'];
    const { code, err } = await passport(args, env('http://127.0.0.1:1'), { input: CARD });
    expect({ code, err }).toEqual({
      code: 1,
      err: 'passport: the receiver at http://127.0.0.1:1 does not answer\n',
    });
  });
});

test('a library that cannot report a card cannot send one', async () => {
  const { code, err } = await passport(
    ['send', '--at', 'midland', '--card', '-'],
    env('http://127.0.0.1:1'),
    { input: CARD },
  );
  expect({ code, err }).toEqual({
    code: 2,
    err: 'passport: midland has no webhook_secrets, so it cannot send events\n',
  });
});

test('T-32 neither card, item nor secret is printed', async () => {
  const receiver = await startReceiver({ get: [[200, done]] });
  const args = ['send', '--at', 'riverside', '--card', '-', '--item', '-', '--wait'];
  const input = `${CARD}\n39999000012345\n`;
  const ran = [
    await passport(args, env(receiver.url), { input }),
    await passport([...args, '--json'], env(receiver.url), { input }),
  ];
  const printed = ran.map(({ out, err }) => out + err).join('');
  for (const planted of [CARD, '39999000012345', webhookSecretOf('riverside'), 'planted'])
    expect(printed).not.toContain(planted);
});

test('of an answer that is larger than any of a receiver nothing is used', async () => {
  const padded = (length: number): [number, string] => [
    202,
    JSON.stringify({ padding: 'x'.repeat(length), event_id: 'evt_of_the_answer', status: 'accepted' }),
  ];
  for (const [length, used] of [
    [60 * 1024, 'evt_of_the_answer'],
    [64 * 1024, 'evt_test_1'],
  ] as const) {
    const receiver = await startReceiver({ post: padded(length) });
    const { out } = await passport(['send', '--at', 'riverside', '--card', '-'], env(receiver.url), {
      input: `${CARD}\n`,
    });
    expect(out).toBe(`accepted: ${used}\n`);
  }
});
