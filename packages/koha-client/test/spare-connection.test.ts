import { once } from 'node:events';
import { type Server, createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect, createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Agents, buildAgents } from '../src/transport/spare-connection.ts';

let server: Server;
let connections: Socket[];
let agents: Agents;
beforeEach(async () => {
  connections = [];
  server = createServer((_request, response) => response.end('here'));
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  agents = buildAgents(urlOf(), 400);
});
afterEach(async () => {
  agents.close();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

const urlOf = (): URL => new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

/** Sends one request over the agents and returns its status. */
const send = (): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(urlOf(), { agent: agents.agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    })
      .once('error', reject)
      .end();
  });

/** The reset may still be on its way when the first one is sent. */
const sendAgain = (): Promise<number | undefined> => send().catch(() => send());

describe('a connection that is opened ahead', () => {
  test('is the one that the next request goes over, and then kept as any other', async () => {
    agents.open();
    await once(server, 'connection');
    expect(await send()).toBe(200);
    expect(await send()).toBe(200);
    expect(connections).toHaveLength(1);
  });

  test('is one, however often it is requested, and none where another is idle', async () => {
    agents.open();
    agents.open();
    await once(server, 'connection');
    expect(await send()).toBe(200);
    agents.open();
    expect(await send()).toBe(200);
    expect(connections).toHaveLength(1);
  });

  test('can be used before it stands', async () => {
    agents.open();
    expect(await send()).toBe(200);
    expect(connections).toHaveLength(1);
  });

  test('is closed when nobody needed it', async () => {
    agents.open();
    await once(server, 'connection');
    await once(connections[0] ?? server, 'close');
    expect(await send()).toBe(200);
    expect(connections).toHaveLength(2);
  });

  test('that the other side closes, or that nobody takes, fails no request', async () => {
    agents.open();
    await once(server, 'connection');
    connections[0]?.destroy();
    await once(connections[0] ?? server, 'close');
    expect(await sendAgain()).toBe(200);

    const free = createTcpServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    await once(free, 'close');
    const nobody = buildAgents(new URL(`http://127.0.0.1:${port}/`), 400);
    nobody.open();
    // Refused, as the one before.
    await new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve));
    nobody.close();
  });
});
