import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { createKohaClient, type KohaClient } from '../src/index.ts';
import { SELF_SIGNED, EXPIRED } from './planted-certificates.ts';
import { hang, json, raw, reset, startTinyKoha, type Reply } from './tiny-koha.ts';

const stops: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

function client(url: string, timeoutMs = 5_000): KohaClient {
  const made = createKohaClient({
    library: 'midland',
    url,
    clientId: 'x',
    clientSecret: 'x',
    timeoutMs,
    maxInFlight: 1,
    now: () => 0,
  });
  stops.push(() => made.close());
  return made;
}

const look = (koha: KohaClient): Promise<unknown> =>
  koha.findByCard('1', { attributes: false, balance: false });

async function listen(server: Server): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket));
  stops.push(() => {
    for (const socket of open) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('a name that nobody has is a fault of dns', async () => {
  await expect(look(client('https://koha.invalid'))).rejects.toMatchObject({
    code: 'unreachable',
    causeCode: 'dns',
  });
});

test('a port where nothing listens is refused', async () => {
  const server = createTcpServer();
  const port = await listen(server);
  await stops.pop()?.();
  await expect(look(client(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'unreachable',
    causeCode: 'refused',
  });
});

test('a server that never finishes TLS is distinguished from one that never answers', async () => {
  const silent = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
  const port = await listen(silent);
  await expect(look(client(`https://127.0.0.1:${port}`, 2_000))).rejects.toMatchObject({
    code: 'timeout',
    causeCode: 'timeout_tls',
  });
  await expect(look(client(`http://127.0.0.1:${port}`, 800))).rejects.toMatchObject({
    code: 'timeout',
  });
});

test('a token that is late on a busy machine still names its cause', async () => {
  const silent = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
  const port = await listen(silent);
  const koha = client(`https://127.0.0.1:${port}`, 3_000);
  const looked = look(koha).catch((error: unknown) => error);
  // In one of these rounds the clock of the caller runs already, and that of the request does not yet.
  for (let round = 0; round < 6; round += 1) {
    await Promise.resolve();
    blockEventLoop(40);
  }
  expect(await looked).toMatchObject({ code: 'timeout', causeCode: 'timeout_tls' });
});

function blockEventLoop(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

test('a server that speaks no TLS is a fault of tls', async () => {
  const plain = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const port = await listen(plain);
  await expect(look(client(`https://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'unreachable',
    causeCode: 'tls',
  });
});

test.each([
  ['nobody trusts', SELF_SIGNED, 'certificate_untrusted'],
  ['is expired', EXPIRED, 'certificate_expired'],
])('a certificate that %s has a cause of its own', async (_what, pair, causeCode) => {
  const port = await listen(createTlsServer(pair));
  await expect(look(client(`https://127.0.0.1:${port}`))).rejects.toMatchObject({
    code: 'unreachable',
    causeCode,
    effect: 'none',
  });
});

test.each<[string, Reply, string]>([
  ['no answer in time', hang, 'timeout_answer'],
  ['a lost connection', reset, 'reset'],
  ['what is no HTTP', (response) => void response.socket?.end('no HTTP at all\r\n\r\n'), 'protocol'],
  ['a page', raw(200, '<html>'), 'not_json'],
  ['another program’s JSON', json(200, { hello: 1 }), 'not_koha'],
  ['a redirect', raw(302, '', { location: '/login' }), 'redirect'],
])('%s is named by its cause', async (_what, reply, causeCode) => {
  const koha = await startTinyKoha({ 'GET /api/v1/patrons': reply });
  stops.push(() => koha.close());
  const timeoutMs = reply === hang ? 300 : 20_000;
  await expect(look(koha.client({ timeoutMs }))).rejects.toMatchObject({ causeCode });
});
