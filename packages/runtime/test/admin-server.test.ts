import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createMetrics, createCounter, startAdminServer } from '@passport/runtime';
import { leakGuard } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

const own = leakGuard({ beforeEach, afterEach });

async function arrange(options: Partial<Parameters<typeof startAdminServer>[0]> = {}) {
  const { log, text } = capturedLog();
  const metrics = () => Promise.resolve('# nothing\n');
  const server = own(
    await startAdminServer({ port: 0, host: '127.0.0.1', ready: () => true, metrics, log, ...options }),
  );
  const fetchPath = (path: string, how?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, how);
  const get = async (path: string) => {
    const response = await fetchPath(path);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  return { fetchPath, get, logText: text };
}

test('a process that runs is live, and ready when it says so', async () => {
  const { get } = await arrange();
  expect(await get('/livez')).toMatchObject({ status: 200, text: '{"status":"up"}' });
  expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"status":"ready"}' });
});

test('a process that only a restart can help is not live', async () => {
  const { get } = await arrange({ live: () => false });
  expect(await get('/livez')).toMatchObject({ status: 503, text: '{"status":"stuck"}' });
});

test.each([
  ['says no', () => false],
  ['fails', () => Promise.reject(new Error('no Redis'))],
  [
    'throws',
    () => {
      throw new Error('no Redis');
    },
  ],
])('it is live and not ready when readiness %s', async (_how, ready: () => boolean | Promise<boolean>) => {
  const { get } = await arrange({ ready });
  expect(await get('/livez')).toMatchObject({ status: 200 });
  expect(await get('/readyz')).toMatchObject({ status: 503, text: '{"status":"not ready"}' });
});

test('it is not ready as soon as the process is stopping', async () => {
  const stopping = new AbortController();
  const { get } = await arrange({ stopping: stopping.signal });
  expect(await get('/readyz')).toMatchObject({ status: 200 });
  stopping.abort();
  expect(await get('/readyz')).toMatchObject({ status: 503, text: '{"status":"stopping"}' });
});

test('metrics are in the text format of Prometheus', async () => {
  const registry = createMetrics({ process: 'receiver' });
  createCounter(registry, {
    name: 'passport_events_total',
    help: 'Deliveries',
    labels: ['library', 'result'],
  })({
    library: 'riverside',
    result: 'accepted',
  });
  const { get } = await arrange({ metrics: () => registry.metrics() });
  const { status, type, text } = await get('/metrics');
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  expect(text).toContain('passport_events_total{library="riverside",result="accepted"} 1');
  expect(text).toContain('process_resident_memory_bytes');
});

test('metrics that fail are a 500 without the reason, which is logged', async () => {
  const { get, logText } = await arrange({ metrics: () => Promise.reject(new Error('collector broke')) });
  const { status, text } = await get('/metrics');
  expect([status, text]).toEqual([500, '{"status":"failed"}']);
  expect(logText()).toContain('collector broke');
});

test('liveness that fails is a 500, and the process goes on', async () => {
  const { get } = await arrange({
    live: () => {
      throw new Error('broke');
    },
  });
  expect(await get('/livez')).toMatchObject({ status: 500, text: '{"status":"failed"}' });
  expect(await get('/readyz?verbose')).toMatchObject({ status: 200 });
});

test('a probe may ask for the headers alone, and nobody can send anything', async () => {
  const { fetchPath } = await arrange();
  const headers = await fetchPath('/readyz', { method: 'HEAD' });
  expect([headers.status, headers.headers.get('content-length')]).toEqual([200, '18']);
  expect(await fetchPath('/readyz', { method: 'POST', body: '{}' })).toMatchObject({ status: 405 });
});

test('it closes while somebody keeps a connection open', async () => {
  const { log } = capturedLog();
  const options = { host: '127.0.0.1', ready: () => true, metrics: () => Promise.resolve(''), log };
  const server = await startAdminServer({ port: 0, ...options });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  await server.close();
  await once(socket.resume(), 'close');
});

test.each([
  ['/livez', 200],
  ['/readyz', 503],
  ['/metrics', 500],
  ['/nothing', 404],
])('security headers are on every answer: %s', async (path, status) => {
  const { fetchPath } = await arrange({
    ready: () => false,
    metrics: () => Promise.reject(new Error('broke')),
  });
  const answer = await fetchPath(path);
  expect(answer.status).toBe(status);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
});

test('a port that is taken is an error', async () => {
  const { log } = capturedLog();
  const options = { host: '127.0.0.1', ready: () => true, metrics: () => Promise.resolve(''), log };
  const first = own(await startAdminServer({ port: 0, ...options }));
  await expect(startAdminServer({ port: first.port, ...options })).rejects.toThrow(/EADDRINUSE/);
});
