import { once } from 'node:events';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { buildProxyTest, createConnectionLimits, mayShareAddress } from '@passport/runtime';
import { openRaw, rawRequest, waitFor } from '@passport/testkit';
import type { FastifyInstance } from 'fastify';
import { type DashboardFixture, OPERATOR, basic, openDashboardFixture } from './dashboard-fixture.ts';

const LIMITS = { perAddress: 8, inAll: 200 };
const HALF_OPEN = 'GET / HTTP/1.1\r\nhost: a\r\nx-a';

let fixture: DashboardFixture;
let app: FastifyInstance;
let port: number;
const dropped: string[] = [];
beforeAll(async () => {
  fixture = await openDashboardFixture();
  app = fixture.build({
    connections: createConnectionLimits({
      ...LIMITS,
      isProxy: () => false,
      dropped: (limit) => void dropped.push(limit),
    }),
    requestTimeoutMs: 1_000,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = app.server.address() as AddressInfo);
});
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await app.close();
  await fixture.close();
});

async function hold(many: number, bytes: string): Promise<readonly Socket[]> {
  const held = Array.from({ length: many }, () => connect({ port, host: '127.0.0.1' }));
  sockets.push(...held);
  for (const socket of held) socket.on('error', () => undefined).resume();
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  for (const socket of held) socket.write(bytes);
  return held;
}
const openOf = (held: readonly Socket[]): number => held.filter(({ closed }) => !closed).length;
const page = (authorization: readonly (readonly [string, string])[] = []): Buffer =>
  rawRequest({ line: 'GET /assets/dashboard.css', headers: authorization });
const AS_OPERATOR = [['authorization', basic(OPERATOR)]] as const;

test('connections that strangers hold are closed for new ones, and a user who is in keeps theirs', async () => {
  const own = openRaw(port);
  own.write(page(AS_OPERATOR));
  expect((await own.answer()).status).toBe(200);

  const held = await hold(10 * LIMITS.perAddress, HALF_OPEN);
  await waitFor('those beyond the limit to be closed', () => openOf(held) < LIMITS.perAddress);
  own.write(page(AS_OPERATOR));
  expect((await own.answer()).status).toBe(200);
  own.close();

  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401);
  expect(dropped).toContain('address');
});

test.each([
  ['a request that never ends', HALF_OPEN],
  ['no request', ''],
  ['a request that was answered', page().toString()],
])(
  'a connection with %s is closed within seconds',
  async (_what, bytes) => {
    const held = await hold(3, bytes);
    await waitFor('the connections to be closed', () => openOf(held) === 0, { timeoutMs: 12_000 });
  },
  20_000,
);

test.each([
  ['a proxy that is not trusted', false, '127.0.0.1', true],
  ['a trusted proxy', '127.0.0.1', '127.0.0.1', false],
  ['no proxy', false, '127.0.0.1', false],
  ['the network of a container engine, perhaps', false, '0.0.0.0', true],
  ['a network with a trusted proxy', 'uniquelocal', '0.0.0.0', false],
] as const)(
  'behind %s it is known whether all users have one address',
  async (what, trusted, host, shares) => {
    const connections = createConnectionLimits({
      ...LIMITS,
      isProxy: buildProxyTest(trusted),
      dropped: () => undefined,
    });
    const behind = fixture.build({ connections, trustProxy: trusted });
    const forwarded = what.includes('proxy that') || what.startsWith('a trusted');
    await behind.inject({ url: '/', headers: forwarded ? { 'x-forwarded-for': '192.0.2.7' } : {} });
    await behind.close();

    expect(connections.sawUntrustedProxy() || mayShareAddress(trusted, host)).toBe(shares);
  },
);

test('limits hold on after a reload', async () => {
  let successor: FastifyInstance | null = null;
  const connections = createConnectionLimits({
    ...LIMITS,
    isProxy: () => false,
    dropped: (limit) => void dropped.push(`reloaded ${limit}`),
  });
  const first = fixture.build({ connections, successor: () => successor });
  await first.listen({ host: '127.0.0.1', port: 0 });
  successor = fixture.build({ connections });
  await successor.ready();
  port = (first.server.address() as AddressInfo).port;

  const own = openRaw(port);
  own.write(page(AS_OPERATOR));
  expect((await own.answer()).status).toBe(200);
  await hold(3 * LIMITS.perAddress, HALF_OPEN);
  await waitFor('a connection to be dropped', () => dropped.includes('reloaded address'));
  own.write(page(AS_OPERATOR));
  expect((await own.answer()).status).toBe(200);
  own.close();
  await successor.close();
  await first.close();
});
