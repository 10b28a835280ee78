import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathOf, startFront, buildWebWorkers, type Front } from '../src/front.ts';

const NO_DELAY = { webWorkers: 2, serviceMs: 0, roundTripMs: 0, tls: null };
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Something that answers with the path that was requested, and the front before it. */
async function startBehind(plan = NO_DELAY): Promise<Front> {
  const server: Server = createServer((request, response) => response.end(request.url));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const front = await startFront(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, plan);
  closers.push(
    () => server.close().closeAllConnections(),
    () => front.close(),
  );
  return front;
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

test('lets as many in as there are web workers, and the others in their order', async () => {
  const workers = buildWebWorkers(1);
  const came: string[] = [];
  const enter = async (name: string) => {
    await workers.enter();
    came.push(name);
  };
  await enter('first');
  const waiting = [enter('second'), enter('third')];
  expect(came).toEqual(['first']);
  workers.leave();
  await waiting[0];
  expect(came).toEqual(['first', 'second']);
  workers.leave();
  await waiting[1];
  expect(came).toEqual(['first', 'second', 'third']);
});

test('passes a request on, without the path that distinguishes libraries', async () => {
  const { url } = await startBehind();
  expect(await textOf(`${url}/api/v1/patrons?q=1`)).toBe('/api/v1/patrons?q=1');
  expect(await textOf(`${url}${pathOf('midland')}/api/v1/patrons?q=1`)).toBe('/api/v1/patrons?q=1');
});

test('a page takes its time, a file does not', async () => {
  const { url } = await startBehind({ ...NO_DELAY, serviceMs: 120 });
  const order: string[] = [];
  await Promise.all([
    textOf(`${url}/cgi-bin/koha/mainpage.pl`).then(() => order.push('page')),
    textOf(`${url}/intranet-tmpl/style.css`).then(() => order.push('file')),
  ]);
  expect(order).toEqual(['file', 'page']);
});

test('is as far away as configured, and needs a round trip to be reached', async () => {
  const { url } = await startBehind({ ...NO_DELAY, roundTripMs: 40 });
  const first = performance.now();
  await textOf(`${url}/`);
  expect(performance.now() - first).toBeGreaterThanOrEqual(79);
});

test('behaves for one library as it was told to, and for others as before', async () => {
  const front = await startBehind();
  front.setManners({ gone: 'away', slow: 150, mute: 'silent' });
  const call = (library: string) => textOf(`${front.url}${pathOf(library)}/api/v1/patrons`);
  const silent = call('mute').then(
    () => 'answered',
    () => 'never answered',
  );
  const startedAt = performance.now();
  await expect(call('gone')).rejects.toThrow('fetch failed');
  expect(await call('slow')).toBe('/api/v1/patrons');
  expect(performance.now() - startedAt).toBeGreaterThan(140);
  expect(await call('well')).toBe('/api/v1/patrons');
  front.close();
  expect(await silent).toBe('never answered');
});
