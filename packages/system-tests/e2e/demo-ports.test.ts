import { type Server, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { freePort } from '@passport/testkit';

type ChoosePorts = (
  chosen: readonly string[],
  say: (line: string) => void,
  usual?: Readonly<Record<string, number>>,
) => Promise<Readonly<Record<string, number>>>;
const script = fileURLToPath(new URL('../../../scripts/demo-ports.mjs', import.meta.url));
const { choosePorts, USUAL_PORTS } = (await import(script)) as {
  choosePorts: ChoosePorts;
  USUAL_PORTS: Readonly<Record<string, number>>;
};

/** Ports that nobody else uses: a demo may be running here. */
const usual = Object.fromEntries(
  await Promise.all(Object.keys(USUAL_PORTS).map(async (name) => [name, await freePort()] as const)),
);

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Listens on the port, unless somebody else does already; it is taken either way. */
const take = (port: number): Promise<void> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', () => {
      servers.push(server);
      resolve();
    });
  });

describe('the ports of the demo', () => {
  test('can be chosen, one by one', async () => {
    const port = await freePort();
    const actual: string[] = [];
    const ports = await choosePorts([`midland=${port}`], (line) => actual.push(line), usual);
    expect(ports['midland']).toBe(port);
    expect(ports).toEqual({ ...usual, midland: port });
    expect(actual).toEqual([]);
  });

  test('a usual one that is taken is replaced by a free one, and that is said', async () => {
    await take(usual['midland'] ?? 0);
    const actual: string[] = [];
    const ports = await choosePorts([], (line) => actual.push(line), usual);
    expect(ports['midland']).not.toBe(usual['midland']);
    expect(actual).toEqual([
      `127.0.0.1:${usual['midland']} is taken (another demo?): midland is at 127.0.0.1:${ports['midland']} instead.`,
    ]);
    expect(new Set(Object.values(ports)).size).toBe(5);
  });

  test('a usual one that is chosen for another part is not given twice', async () => {
    const port = usual['riverside'] ?? 0;
    const ports = await choosePorts([`receiver=${port}`], () => undefined, usual);
    expect(ports['receiver']).toBe(port);
    expect(new Set(Object.values(ports)).size).toBe(5);
  });

  test('a chosen one that is taken ends the demo, with its name', async () => {
    const port = await freePort();
    await take(port);
    await expect(choosePorts([`receiver=${port}`], () => undefined)).rejects.toThrow(
      `--port receiver=${port}: something on this machine already uses it`,
    );
  });

  test.each([
    ['midland', 'give NAME=PORT, with one of receiver, dashboard, midland, riverside, lakeside'],
    ['hilltop=9091', 'give NAME=PORT, with one of receiver, dashboard, midland, riverside, lakeside'],
    ['midland=0', 'a port is a number from 1 to 65535'],
    ['midland=70000', 'a port is a number from 1 to 65535'],
  ])('--port %s is refused by its name', async (given, why) => {
    await expect(choosePorts([given], () => undefined)).rejects.toThrow(`--port ${given}: ${why}`);
  });

  test('two parts cannot have one port', async () => {
    await expect(choosePorts(['midland=9391', 'riverside=9391'], () => undefined)).rejects.toThrow(
      '--port riverside=9391: two parts cannot have one port',
    );
  });
});
