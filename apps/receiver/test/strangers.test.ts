import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type StartedRedis,
  sendRaw,
  openRaw,
  rawRequest,
  signedRequest,
  startRedis,
  waitFor,
} from '@passport/testkit';
import { buildSample } from '@passport/runtime';
import { type ReceiverFixture, SECRET, openReceiver } from './receiver-fixture.ts';

const LIMITS = { perAddress: 8, inAll: 12 };
let server: StartedRedis;
let receiver: ReceiverFixture;
let proxied: ReceiverFixture;
beforeAll(async () => {
  server = await startRedis();
  receiver = await openReceiver({ redisUrl: server.url, limits: LIMITS });
  proxied = await openReceiver({ redisUrl: server.url, limits: LIMITS, trustProxy: '127.0.0.7' });
});
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.call('FLUSHALL');
});
afterAll(async () => {
  await receiver.close();
  await proxied.close();
  await server.stop();
});

const signed = (id: string) => signedRequest({ secret: SECRET, id });
const bytesOf = (id: string): Buffer => {
  const { headers, body } = signed(id);
  return rawRequest({ line: 'POST /webhooks/riverside', headers: Object.entries(headers), body });
};

/** Holds a connection from an address of the loopback network and says nothing, or what is given. */
async function hold(port: number, from: string, bytes?: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return socket;
}
const holdMany = (port: number, from: string, many: number, bytes?: string) =>
  Promise.all(Array.from({ length: many }, () => hold(port, from, bytes)));
const openOf = (held: readonly Socket[]): number => held.filter(({ closed }) => !closed).length;

describe('what a stranger is answered ends its connection', () => {
  test.each([
    ['404', 'GET /nothing', []],
    ['404 for a POST', 'POST /', []],
    ['401', 'POST /webhooks/riverside', Object.entries(signedRequest({ secret: SECRET, body: 'x' }).headers)],
    ['400', 'POST /webhooks/riverside', [['content-type', 'application/json']]],
    ['415', 'POST /webhooks/riverside', []],
    ['400 for a path that cannot be decoded', 'GET /%zz', []],
  ] as const)('%s', async (_status, line, headers) => {
    const connection = openRaw(receiver.port);
    connection.write(rawRequest({ line, headers, body: line[0] === 'G' ? '' : '{}' }));

    expect((await connection.answer()).headers['connection']).toBe('close');
    await connection.closed;
  });

  test('a signed event keeps its connection, also one that does not fit', async () => {
    const connection = openRaw(receiver.port);
    connection.write(bytesOf('evt_1'));
    expect((await connection.answer()).headers['connection']).not.toBe('close');
    const odd = signedRequest({ secret: SECRET, id: 'evt_2', body: '[]' });
    connection.write(
      rawRequest({ line: 'POST /webhooks/riverside', headers: Object.entries(odd.headers), body: odd.body }),
    );
    expect(await connection.answer()).toMatchObject({ status: 422 });
    connection.write(bytesOf('evt_3'));
    expect(await connection.answer()).toMatchObject({ status: 202 });
    connection.close();
  });

  test('an idle connection is closed within seconds, whatever it was answered', async () => {
    const idle = await hold(receiver.port, '127.0.0.2', 'GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n');

    await waitFor('the connection to be closed', () => idle.closed, { timeoutMs: 10_000 });
  });

  test('more than 64 headers are refused', async () => {
    const headers = Array.from({ length: 63 }, (_, index) => [`x-${index}`, '1'] as const);
    const answer = await sendRaw(receiver.port, rawRequest({ line: 'GET /openapi.json', headers }));
    expect(answer).toMatchObject({ status: 400, headers: { connection: 'close' } });
    const fewer = rawRequest({ line: 'GET /openapi.json', headers: headers.slice(0, 60) });
    expect(await sendRaw(receiver.port, fewer)).toMatchObject({ status: 200 });
  });
});

describe('an address that has as many connections as it may', () => {
  test('gets another one by losing its oldest, and signed events pass between', async () => {
    const held = await holdMany(receiver.port, '127.0.0.2', LIMITS.perAddress);
    const [oldest] = held;

    const { status } = await sendFrom('127.0.0.2', bytesOf('evt_1'));

    expect(status).toBe(202);
    expect(oldest?.closed).toBe(true);
    expect(openOf(held)).toBe(LIMITS.perAddress - 1);
    expect(receiver.counted).toContain('dropped address');
  });

  test('keeps one on which a signed event came, whatever else it opens', async () => {
    const own = openRaw(receiver.port);
    own.write(bytesOf('evt_1'));
    expect((await own.answer()).status).toBe(202);
    const held = await holdMany(receiver.port, '127.0.0.1', 3 * LIMITS.perAddress);
    await waitFor('those beyond the limit to be closed', () => openOf(held) === LIMITS.perAddress - 1);

    own.write(bytesOf('evt_2'));

    expect((await own.answer()).status).toBe(202);
    own.close();
  });

  test.each([
    ['headers', 'POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\nx-a'],
    ['body', 'POST /webhooks/riverside HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{'],
  ])('loses those that never end their %s', async (_part, bytes) => {
    const held = await holdMany(receiver.port, '127.0.0.2', LIMITS.perAddress, bytes);
    await fetch(`${receiver.url}/openapi.json`);

    expect((await sendFrom('127.0.0.2', bytesOf('evt_1'))).status).toBe(202);
    expect(openOf(held)).toBe(LIMITS.perAddress - 1);
  });

  test('takes nothing from another', async () => {
    const ours = await hold(receiver.port, '127.0.0.1');
    const theirs = await holdMany(receiver.port, '127.0.0.2', 3 * LIMITS.perAddress);
    await waitFor('their oldest to be closed', () => openOf(theirs) === LIMITS.perAddress);

    expect(ours.closed).toBe(false);
  });
});

test('a trusted proxy speaks for many and has only the limit of all', async () => {
  const held = await holdMany(proxied.port, '127.0.0.7', LIMITS.inAll);
  expect(openOf(held)).toBe(LIMITS.inAll);

  const answer = await sendFrom('127.0.0.7', bytesOf('evt_1'), proxied.port);

  expect(answer.status).toBe(202);
  expect(proxied.counted).toContain('dropped total');
});

test('from many addresses at once, they still keep nobody out', async () => {
  const addresses = Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 1}`);
  await Promise.all(addresses.map((address) => holdMany(receiver.port, address, 4)));

  expect((await sendRaw(receiver.port, bytesOf('evt_1'))).status).toBe(202);
  expect(receiver.counted).toContain('dropped total');
});

describe('the log', () => {
  test('has a sample of what strangers send, and every event', async () => {
    const before = receiver.logged().length;
    for (let count = 0; count < 40; count += 1) {
      await fetch(`${receiver.url}/webhooks/midland`, { ...signed(`evt_${count}`), body: '{}' });
      await fetch(`${receiver.url}/webhooks/riverside`, signed(`evt_${count}`));
    }
    const lines = receiver.logged().slice(before).split('\n');

    expect(lines.filter((line) => line.includes('"unauthorized"'))).toHaveLength(10);
    expect(lines.filter((line) => line.includes('"event":"evt_'))).toHaveLength(40);
    expect(receiver.counted.filter((line) => line === 'midland unauthorized')).toHaveLength(40);
  });

  test('says later how many lines were left out', () => {
    let now = 0;
    const sample = buildSample({ most: 2, windowMs: 1_000, monotonicNow: () => now });
    expect([sample('a'), sample('a'), sample('a'), sample('a'), sample('b')]).toEqual([0, 0, null, null, 0]);
    now = 1_000;
    expect([sample('a'), sample('a'), sample('a')]).toEqual([2, 0, null]);
  });
});

describe('security headers are on', () => {
  const expected = {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
  test.each([
    ['an accepted event', () => bytesOf('evt_1'), 202],
    ['the description', () => rawRequest({ line: 'GET /openapi.json', headers: [] }), 200],
    ['404', () => rawRequest({ line: 'GET /nothing', headers: [] }), 404],
    ['a path that cannot be decoded', () => rawRequest({ line: 'GET /%zz', headers: [] }), 400],
    ['what is no HTTP', () => Buffer.from('hello\r\n\r\n'), 400],
    [
      'a body that is too large',
      () => rawRequest({ line: 'POST /', headers: [], body: ' '.repeat(20_000) }),
      413,
    ],
  ] as const)('%s', async (_what, bytes, status) => {
    expect(await sendRaw(receiver.port, bytes())).toMatchObject({ status, headers: expected });
  });
});

/** Sends bytes from an address of the loopback network and reads the status of the answer. */
async function sendFrom(from: string, bytes: Buffer, port = receiver.port): Promise<{ status: number }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  sockets.push(socket);
  socket.write(bytes);
  const [first] = (await once(socket, 'data')) as [Buffer];
  return { status: Number(first.toString('latin1').split(' ')[1]) };
}
