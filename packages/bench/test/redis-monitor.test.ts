import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startRedis, waitFor, type StartedRedis } from '@passport/testkit';
import { startMonitor, type Monitor, type Seen } from '../src/redis-figures.ts';

let redis: StartedRedis;
let monitor: Monitor;

beforeAll(async () => {
  redis = await startRedis();
  monitor = await startMonitor(redis.port);
});
afterAll(async () => {
  monitor?.stop();
  await redis?.stop();
});

/** What a client says of itself when it connects. */
const HANDSHAKE = new Set(['HELLO', 'CLIENT']);

test('sees what a connection sends and, apart from it, what a script calls', async () => {
  await redis.call('EVAL', "return redis.call('SET', 'a', '1')", '0');
  await redis.call('GET', 'a');
  const seen: Seen[] = [];
  await waitFor('MONITOR to have shown the last command', () => {
    seen.push(...monitor.take().filter(({ name }) => !HANDSHAKE.has(name)));
    return seen.some(({ name }) => name === 'GET');
  });
  expect(seen.map(({ name, client }) => [name, client === null])).toEqual([
    ['EVAL', false],
    ['SET', true],
    ['GET', false],
  ]);
});
