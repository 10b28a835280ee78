import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { closeRedis, createRedis, createRedisClock, untilRedisReady } from '@passport/runtime';
import { leakGuard, startRedis, startRedisCluster, waitFor } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

const own = leakGuard({ beforeEach, afterEach });

async function arrange(monotonicNow: () => number, everyMs = 5_000) {
  const server = own(await startRedis());
  const { log, text } = capturedLog();
  const redis = createRedis(server.url, { role: 'reader', log, name: 'clock' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 2_000);
  const clock = own(createRedisClock(redis, '{test}:clock', monotonicNow, { everyMs, log }));
  const redisNow = async () => {
    const [seconds = 0, micros = 0] = await redis.time();
    return seconds * 1_000 + micros / 1_000;
  };
  return { server, redis, clock, redisNow, logText: text };
}

test("it returns Redis's time whatever the monotonic clock started from", async () => {
  const { clock, redisNow } = await arrange(() => performance.now() + 123_456_789);
  await clock.start();
  expect(Math.abs(clock.now() - (await redisNow()))).toBeLessThan(1_000);
});

test('between two measures it is carried by the monotonic clock alone', async () => {
  let monotonic = 1_000;
  const { clock } = await arrange(() => monotonic, 3_600_000);
  await clock.start();
  const before = clock.now();
  monotonic += 61_500;
  expect(clock.now() - before).toBe(61_500);
});

test('it measures again every few seconds, so that a monotonic clock that drifts does no harm', async () => {
  let drift = 0;
  const { clock, redisNow } = await arrange(() => performance.now() + drift, 20);
  await clock.start();
  drift = 60_000;
  await waitFor(
    'the drift to be measured away',
    async () => Math.abs(clock.now() - (await redisNow())) < 100,
  );
});

test('it does not believe a first measure whose answer was delayed', async () => {
  const { server, clock, redisNow } = await arrange(() => performance.now());
  server.freeze();
  const started = clock.start();
  const heldSince = performance.now();
  await waitFor('the answer to be late', () => performance.now() - heldSince > 600);
  server.thaw();
  await started;
  expect(Math.abs(clock.now() - (await redisNow()))).toBeLessThan(300);
});

test('without Redis it goes on from the last measure', async () => {
  let later = 0;
  const { server, clock, logText } = await arrange(() => performance.now() + later, 20);
  await clock.start();
  await server.kill();
  const before = clock.now();
  await waitFor('a measure to fail', () => logText().includes('clock not measured'));
  later = 60_000;
  expect(clock.now() - before).toBeGreaterThanOrEqual(60_000);
  await server.restart();
});

test('it returns no time that it never measured', async () => {
  const { clock } = await arrange(() => performance.now());
  expect(() => clock.now()).toThrow('read before it was started');
});

test('in a cluster it is the clock of the one node that holds the queue, and no other is queried', async () => {
  const cluster = await startRedisCluster(3);
  for (const node of cluster.nodes) own(node);
  const redis = createRedis(cluster.url, { role: 'reader', log: capturedLog().log, name: 'clock' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 5_000);
  const clock = own(createRedisClock(redis, '{test}:clock', () => performance.now(), { everyMs: 5 }));
  await clock.start();
  const queries = async (): Promise<number[]> => {
    const stats = cluster.nodes.map((node) => node.call('INFO', 'commandstats'));
    return (await Promise.all(stats)).map((text) =>
      Number(/cmdstat_time:calls=(\d+)/.exec(String(text))?.[1] ?? 0),
    );
  };

  const counts = await waitFor('thirty measures', async () => {
    const each = await queries();
    return each.reduce((all, one) => all + one, 0) >= 30 ? each : null;
  });
  expect(counts.filter((count) => count > 0)).toHaveLength(1);
}, 30_000);
