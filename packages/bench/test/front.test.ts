import { afterEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildWebWorkers, pathOf, startFront } from '../src/front.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Something that answers with the path that was requested, and the front before it. */
async function startBehind(serviceMs: number): Promise<string> {
  const server = createServer((request, response) => response.end(request.url));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const front = await startFront(`http://127.0.0.1:${port}`, { webWorkers: 2, serviceMs });
  closers.push(
    () => server.close().closeAllConnections(),
    () => front.close(),
  );
  return front.url;
}

const textOf = async (url: string): Promise<string> => (await fetch(url)).text();

test('serves as many at once as there are web workers, and the others in their order', async () => {
  const workers = buildWebWorkers(1);
  const began: string[] = [];
  const ends: (() => void)[] = [];
  const serve = (name: string) =>
    workers.serve(() => {
      began.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const all = ['first', 'second', 'third'].map(serve);
  for (const [place, served] of all.entries()) {
    expect(began).toEqual(['first', 'second', 'third'].slice(0, place + 1));
    ends[place]?.();
    await served;
    await new Promise(setImmediate);
  }
});

test('passes a request on, without the path that distinguishes libraries', async () => {
  const url = await startBehind(0);
  expect(await textOf(`${url}/api/v1/patrons?q=1`)).toBe('/api/v1/patrons?q=1');
  expect(await textOf(`${url}${pathOf('midland')}/api/v1/patrons?q=1`)).toBe('/api/v1/patrons?q=1');
});

test('a page takes its time, a file does not', async () => {
  const url = await startBehind(120);
  const order: string[] = [];
  await Promise.all([
    textOf(`${url}/cgi-bin/koha/mainpage.pl`).then(() => order.push('page')),
    textOf(`${url}/intranet-tmpl/style.css`).then(() => order.push('file')),
  ]);
  expect(order).toEqual(['file', 'page']);
});
