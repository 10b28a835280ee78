import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Secret } from '@passport/config';
import { openDeliveryNotes } from '@passport/queue/notices';
import { waitFor } from '@passport/testkit';
import { type NotifyFixture, SECOND_MS, library, openNotifyFixture } from './notify-fixture.ts';

let fixture: NotifyFixture;
beforeAll(async () => {
  fixture = await openNotifyFixture();
});
beforeEach(() => fixture.clear());
afterAll(() => fixture.close());

/** An endpoint that takes its time, or never stops; what it has written, and to whom. */
interface Crawler {
  readonly url: string;
  readonly sockets: Set<Socket>;
  bytes: number;
  /** Most connections at the same time. */
  most: number;
  close(): void;
}
const crawlers: Crawler[] = [];
afterEach(() => crawlers.splice(0).forEach((crawler) => crawler.close()));

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n';
const REFUSAL = 'HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n';
/** What is sent at once, and then again and again; `everyMs` null: as fast as it is taken. */
const WAYS = {
  'never answers': ['', '', 200],
  'answers one byte now and then': ['H', 'T', 200],
  'sends one byte of its headers now and then': [`${HEAD}x-slow: `, 'x', 200],
  'never ends its headers': [`${HEAD}x-long: `, 'x'.repeat(65_536), null],
  'refuses, and never ends its body, one byte now and then': [`${REFUSAL}\r\n`, 'x', 200],
  'refuses, and never ends its body': [`${REFUSAL}\r\n`, 'x'.repeat(65_536), null],
} as const satisfies Record<string, readonly [string, string, number | null]>;

async function crawl([first, again, everyMs]: readonly [string, string, number | null]): Promise<Crawler> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    crawler.most = Math.max(crawler.most, sockets.size);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const write = (text: string): boolean => {
      crawler.bytes += text.length;
      return socket.destroyed || socket.write(text);
    };
    write(first);
    const timer = everyMs === null ? undefined : setInterval(() => again !== '' && write(again), everyMs);
    const flood = (): void => {
      while (!socket.destroyed && write(again));
    };
    if (everyMs === null) socket.on('drain', flood).once('data', flood);
    socket.once('close', () => clearInterval(timer)).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const crawler: Crawler = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/planted-secret`,
    sockets,
    bytes: 0,
    most: 0,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  crawlers.push(crawler);
  return crawler;
}

/** Half of the usual ones. */
const TIMINGS = { attemptMs: 5_000, patienceMs: 1_500 };

const libraries = (isAway: boolean) => Array.from({ length: 40 }, (_, n) => library(`lib${n}`, isAway));

test('endpoints that crawl, in whatever way, are given up in time, with few bytes read, and delay no other', async () => {
  const ways = Object.entries(WAYS);
  const crawling = await Promise.all(ways.map(([, way]) => crawl(way)));
  const slow = crawling.map(({ url }, n) => fixture.endpointOf({ name: `slow${n}`, url: new Secret(url) }));
  const worker = await fixture.startProcess([...slow, fixture.endpointOf()], TIMINGS);
  await fixture.round(worker, ...libraries(true));
  fixture.pass(20 * SECOND_MS);
  await fixture.round(worker, ...libraries(true));
  await fixture.round(worker, ...libraries(true));
  expect(fixture.endpoint.received).toHaveLength(40);
  const { readFailing, countWaiting } = openDeliveryNotes(fixture.redis);
  await waitFor('each to be given up', async () => (await readFailing()).size === ways.length, {
    timeoutMs: 4 * TIMINGS.attemptMs,
  });
  // The HTTP library opens one anew after an attempt was given up, and closes it when it was idle for four seconds.
  await waitFor('their connections to be closed', () => crawling.every(({ sockets }) => sockets.size === 0), {
    timeoutMs: 8_000,
  });

  const [failing, waiting] = [await readFailing(), await countWaiting()];
  const became = ways.map(([way], n) => ({ way, ...failing.get(`slow${n}`), left: waiting.get(`slow${n}`) }));
  expect(became).toMatchObject(
    ways.map(([way]) => ({ way, kind: 'failed', status: way.startsWith('refuses') ? 503 : null, left: 40 })),
  );
  expect(waiting.size).toBe(ways.length);
  expect(Math.max(...crawling.map(({ most }) => most))).toBeLessThanOrEqual(8);
  // Almost all of it is still in the buffers of the system: what is read in five seconds is five times as much.
  expect(Math.max(...crawling.map(({ bytes }) => bytes))).toBeLessThan(100_000_000);
  expect(JSON.stringify(await fixture.redis.hgetall('{passport}:notices:failing'))).not.toContain('planted');
}, 60_000);

test('more messages of a failing endpoint than are looked at in one step do not hide the others', async () => {
  const crawler = await crawl(WAYS['never answers']);
  const slow = fixture.endpointOf({ name: 'slow', url: new Secret(crawler.url) });
  const worker = await fixture.startProcess([slow, fixture.endpointOf()], TIMINGS);
  await fixture.round(worker, library('midland', true));
  for (let n = 0; n < 3_000; n += 1) {
    await fixture.redis.hset('{passport}:notices', `slow flood ${n}`, 'x');
    await fixture.redis.zadd('{passport}:notices:due', fixture.now() - 1_000, `slow flood ${n}`);
  }
  const good = (await fixture.redis.hkeys('{passport}:notices')).filter((slot) => slot.startsWith('ops'));
  expect(good).toEqual([]);
  fixture.pass(20 * SECOND_MS);
  await fixture.round(worker, library('midland', true));
  for (let round = 0; round < 3 && fixture.endpoint.received.length === 0; round += 1) {
    fixture.pass(5 * SECOND_MS);
    await fixture.round(worker, library('midland', true));
  }
  expect(fixture.endpoint.received).toHaveLength(1);
}, 30_000);

test('since when an endpoint fails is kept until it accepts a message, or has another address', async () => {
  const notes = openDeliveryNotes(fixture.redis);
  const worker = await fixture.startProcess();
  const news = async (id: string): Promise<void> => {
    await fixture.round(worker, library(id, true));
    fixture.pass(20 * SECOND_MS);
    await fixture.round(worker, library(id, true));
  };
  fixture.endpoint.answer = (response) => void response.writeHead(500).end();
  await news('midland');
  const began = fixture.now();
  fixture.pass(60 * SECOND_MS);
  fixture.endpoint.answer = (response) => void response.writeHead(503).end();
  await news('riverside');
  const failing = (await notes.readFailing()).get('ops');
  expect(failing).toMatchObject({ since_ms: began, at_ms: fixture.now(), kind: 'failed', status: 503 });
  expect(await notes.countWaiting()).toEqual(new Map([['ops', 2]]));
  fixture.endpoint.answer = (response) => void response.writeHead(410).end();
  fixture.pass(600 * SECOND_MS);
  await fixture.round(worker);
  expect((await notes.readFailing()).get('ops')).toMatchObject({
    since_ms: began,
    kind: 'gone',
    status: 410,
  });
  const moved = await fixture.startProcess([
    fixture.endpointOf({ url: new Secret(`${fixture.endpoint.url}/new`) }),
  ]);
  await fixture.round(moved);
  expect((await notes.readFailing()).size).toBe(0);
  fixture.endpoint.answer = (response) => void response.writeHead(500).end();
  await news('midland');
  fixture.endpoint.answer = (response) => void response.end('ok');
  fixture.pass(600 * SECOND_MS);
  await fixture.round(moved);
  expect((await notes.readFailing()).size).toBe(0);
});
