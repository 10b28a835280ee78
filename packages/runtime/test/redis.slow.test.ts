import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  answersNow,
  closeRedis,
  createRedis,
  translateRedisError,
  untilRedisReady,
  within,
  type Redis,
  type RedisRole,
} from '@passport/runtime';
import { freePort, leakGuard, startFaultProxy, startRedis, startSentinel, waitFor } from '@passport/testkit';
import { capturedLog } from './captured-log.ts';

const own = leakGuard({ beforeEach, afterEach });

function connect(url: string, role: RedisRole) {
  const { log, text, lines } = capturedLog();
  const redis = createRedis(url, { role, log, name: `test-${role}` });
  own({ stop: () => closeRedis(redis) });
  return { redis, text, lines };
}

async function failureOf(work: Promise<unknown>) {
  return translateRedisError(
    await work.then(
      () => 'no failure',
      (error: unknown) => error,
    ),
  );
}

test('a producer whose Redis was never there fails at once instead of hanging', async () => {
  const { redis, lines } = connect(`redis://:pw@127.0.0.1:${await freePort()}`, 'producer');
  await expect(untilRedisReady(redis, 50)).rejects.toThrow('connecting to Redis took longer than 50 ms');
  const start = performance.now();
  await expect(failureOf(redis.set('key', 'hunter2'))).resolves.toMatchObject({ kind: 'unavailable' });
  expect(performance.now() - start).toBeLessThan(100);
  await waitFor('the outage to be logged', () => lines().length > 0);
});

test('an outage is logged once when it begins and once when it ends, without addresses', async () => {
  const server = own(await startRedis({ password: 'hunter2' }));
  const { redis, text, lines } = connect(server.url, 'reader');
  await untilRedisReady(redis, 2_000);
  await server.kill();
  const refused = await startRefusals(redis, 3);
  await server.restart();
  await waitFor('Redis to answer', () => redis.status === 'ready');
  expect(refused).toBeGreaterThanOrEqual(3);
  expect(lines().map(({ msg }) => msg)).toEqual(['Redis does not answer', 'Redis answers again']);
  expect(text()).not.toContain('hunter2');
});

test('an outage of a duplicate, on which BullMQ blocks, is logged as well', async () => {
  const server = own(await startRedis());
  const { redis, lines } = connect(server.url, 'worker');
  const blocking = (redis.duplicate as () => Redis)();
  own({ stop: () => closeRedis(blocking) });
  await untilRedisReady(blocking, 2_000);
  const id = await blocking.client('ID');
  await server.call('CLIENT', 'KILL', 'ID', String(id));
  await waitFor('it to be made again', () => lines().length === 2);
  expect(lines()).toMatchObject([
    { redis: 'test-worker-blocking', msg: 'Redis does not answer' },
    { redis: 'test-worker-blocking', msg: 'Redis answers again' },
  ]);
});

test('a connection that is taken and never answered is given up, and logged', async () => {
  const server = own(await startRedis());
  const proxy = own(await startFaultProxy({ target: server.port }));
  await proxy.setMode('swallow');
  const { redis, lines } = connect(`redis://127.0.0.1:${proxy.port}`, 'producer');
  await waitFor('the outage to be logged', () => lines().length > 0, { timeoutMs: 10_000 });
  await proxy.setMode('pass');
  await untilRedisReady(redis, 10_000);
  expect(lines().map(({ msg }) => msg)).toEqual(['Redis does not answer', 'Redis answers again']);
}, 30_000);

test('closing a connection is no outage', async () => {
  const server = own(await startRedis());
  const { redis, lines } = connect(server.url, 'worker');
  await untilRedisReady(redis, 2_000);
  await closeRedis(redis);
  expect(lines()).toEqual([]);
});

function startRefusals(redis: Redis, wanted: number): Promise<number> {
  let seen = 0;
  redis.on('error', () => {
    seen += 1;
  });
  return waitFor(`${wanted} refusals`, () => seen >= wanted && seen);
}

test('a worker waits for Redis through a restart and its command is carried out', async () => {
  const server = own(await startRedis({ appendonly: true }));
  const { redis } = connect(server.url, 'worker');
  await untilRedisReady(redis, 2_000);
  await server.kill();
  await waitFor('the connection to be lost', () => redis.status !== 'ready');
  const late = redis.set('late', 'yes');
  await server.restart();
  await expect(late).resolves.toBe('OK');
});

test('a producer whose connection is cut fails the call and takes the next one when the network is back', async () => {
  const server = own(await startRedis());
  const proxy = own(await startFaultProxy({ target: server.port }));
  const { redis } = connect(`redis://127.0.0.1:${proxy.port}`, 'producer');
  await untilRedisReady(redis, 2_000);
  await proxy.setMode('reset');
  await expect(failureOf(redis.set('key', 'x'))).resolves.toMatchObject({ kind: 'unavailable' });
  await proxy.setMode('pass');
  await untilRedisReady(redis, 3_000);
  await expect(redis.set('key', 'x')).resolves.toBe('OK');
});

test('a connection that went silent is given up and made again', async () => {
  const server = own(await startRedis());
  const proxy = own(await startFaultProxy({ target: server.port }));
  const { redis, text } = connect(`redis://127.0.0.1:${proxy.port}`, 'producer');
  await untilRedisReady(redis, 2_000);
  await proxy.setMode('blackhole');
  await expect(within(300, answersNow(redis), 'an answer')).rejects.toThrow('took longer');
  expect(redis.status).toBe('ready');
  const held = redis.set('key', 'x');
  await waitFor('the second connection', () => proxy.accepted() > 1, { timeoutMs: 10_000 });
  await proxy.setMode('pass');
  await expect(held).resolves.toBe('OK');
  expect(text()).toContain('Redis does not answer');
}, 30_000);

test('after READONLY the connection is made again and the command is sent once more', async () => {
  const master = own(await startRedis());
  const server = own(await startRedis());
  const { redis, text } = connect(server.url, 'worker');
  await untilRedisReady(redis, 2_000);
  await server.call('REPLICAOF', '127.0.0.1', String(master.port));
  const write = redis.set('key', 'hunter2');
  const demoted = waitFor('the master to be named again', async () =>
    String(await server.call('ROLE')).startsWith('slave'),
  );
  await demoted;
  await server.call('REPLICAOF', 'NO', 'ONE');
  await expect(write).resolves.toBe('OK');
  expect(text()).not.toContain('hunter2');
});

test('a producer against a replica learns at once that it cannot write', async () => {
  const master = own(await startRedis());
  const replica = own(await startRedis({ replicaOf: master.port }));
  await waitFor('the replica to follow', async () =>
    String(await replica.call('ROLE')).includes('connected'),
  );
  const { redis } = connect(replica.url, 'producer');
  await untilRedisReady(redis, 2_000);
  const failure = await failureOf(redis.set('key', 'x'));
  expect(['readonly', 'unavailable']).toContain(failure.kind);
});

test('a full Redis is reported as full, without what was to be written', async () => {
  const server = own(await startRedis({ args: ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'] }));
  const { redis } = connect(server.url, 'producer');
  await untilRedisReady(redis, 2_000);
  const failure = await failureOf(redis.set('key', 'hunter2'));
  expect(failure).toEqual({ kind: 'full', message: 'Redis (set): out of memory' });
});

test('a wrong password is reported as such and never printed', async () => {
  const server = own(await startRedis({ password: 'right' }));
  const { redis, text } = connect(`redis://:hunter2@127.0.0.1:${server.port}`, 'reader');
  await expect(untilRedisReady(redis, 200)).rejects.toThrow();
  await waitFor('the refusal to be logged', () => text().includes('refuses our user or password'));
  expect(text()).not.toContain('hunter2');
});

test('redis+sentinel:// finds the master and follows it when it changes', async () => {
  const master = own(await startRedis({ password: 'pw' }));
  const replica = own(await startRedis({ password: 'pw', replicaOf: master.port }));
  const sentinel = own(await startSentinel({ name: 'passport', masterPort: master.port, password: 'pw' }));
  await waitFor(
    'the Sentinel to know the replica',
    async () =>
      String(await sentinel.call('SENTINEL', 'REPLICAS', 'passport')).includes(String(replica.port)),
    { timeoutMs: 15_000 },
  );
  const { redis } = connect(`redis+sentinel://:pw@127.0.0.1:${sentinel.port}/passport`, 'worker');
  await untilRedisReady(redis, 5_000);
  await redis.set('key', 'before');
  await redis.wait(1, 1_000);
  await master.kill();
  await expect(redis.set('key', 'after')).resolves.toBe('OK');
  await expect(replica.call('GET', 'key')).resolves.toBe('after');
}, 40_000);

test('redis+cluster:// speaks to a cluster', async () => {
  const server = own(await startRedis({ cluster: true }));
  const { redis } = connect(server.url, 'producer');
  await untilRedisReady(redis, 5_000);
  await expect(redis.set('{passport}:key', 'x')).resolves.toBe('OK');
});

test('closing a Redis that does not answer takes no longer than it may', async () => {
  const server = own(await startRedis());
  const { redis } = connect(server.url, 'worker');
  await untilRedisReady(redis, 2_000);
  server.freeze();
  const start = performance.now();
  await closeRedis(redis, 100);
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(redis.status).toBe('end');
});
