import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { callRedis, findRedisServer, leakGuard, startRedis, startSentinel, waitFor } from '@passport/testkit';

const own = leakGuard({ beforeEach, afterEach });

test('what an append-only Redis has acknowledged is there after a kill and a restart', async () => {
  const redis = own(await startRedis({ appendonly: true }));
  await redis.call('SET', 'kept', 'yes');
  await redis.kill();
  await expect(redis.call('PING')).rejects.toThrow(/ECONNREFUSED/);
  await redis.restart();
  await expect(redis.call('GET', 'kept')).resolves.toBe('yes');
});

test('a password is required, and is in the URL', async () => {
  const redis = own(await startRedis({ password: 'open/sesame' }));
  await expect(callRedis({ port: redis.port }, ['PING'])).rejects.toThrow(/NOAUTH/);
  await expect(redis.call('PING')).resolves.toBe('PONG');
  expect(redis.url).toBe(`redis://:open%2Fsesame@127.0.0.1:${redis.port}`);
});

test('with TLS it answers only to who speaks TLS', async () => {
  const redis = own(await startRedis({ tls: true }));
  expect(redis.url).toMatch(/^rediss:/);
  await expect(redis.call('PING')).resolves.toBe('PONG');
  await expect(callRedis({ port: redis.port }, ['PING'], 300)).rejects.toThrow();
});

test('in cluster mode one node owns all slots', async () => {
  const redis = own(await startRedis({ cluster: true }));
  await expect(redis.call('SET', 'any', 'key')).resolves.toBe('OK');
  await expect(redis.call('CLUSTER', 'INFO')).resolves.toContain('cluster_slots_ok:16384');
});

test('a replica takes over when a Sentinel finds its master dead', async () => {
  const master = own(await startRedis());
  const replica = own(await startRedis({ replicaOf: master.port }));
  await waitFor('the replica to follow', async () =>
    String(await replica.call('ROLE')).includes('connected'),
  );
  const sentinel = own(await startSentinel({ name: 'passport', masterPort: master.port }));
  await waitFor(
    'the Sentinel to know the replica',
    async () =>
      String(await sentinel.call('SENTINEL', 'REPLICAS', 'passport')).includes(String(replica.port)),
    { timeoutMs: 15_000 },
  );
  await master.kill();
  await waitFor(
    'the replica to be master',
    async () => String(await replica.call('ROLE')).startsWith('master'),
    {
      timeoutMs: 15_000,
    },
  );
}, 40_000);

test('a frozen Redis keeps its connections and answers nothing until it is thawed', async () => {
  const redis = own(await startRedis());
  redis.freeze();
  await expect(callRedis({ port: redis.port }, ['PING'], 200)).rejects.toThrow('timed out');
  redis.thaw();
  await expect(redis.call('PING')).resolves.toBe('PONG');
});

test('stopping removes its directory', async () => {
  const redis = await startRedis();
  expect(existsSync(redis.dir)).toBe(true);
  await redis.stop();
  expect(existsSync(redis.dir)).toBe(false);
});

test('a Redis that cannot start says what it said, and leaves no directory', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'passport-start-redis-'));
  const started = startRedis({ args: ['--no-such-setting', 'yes'] }, folder);
  await expect(started).rejects.toThrow(/no-such-setting/);
  rmdirSync(folder); // throws while there is anything in it
});

test('without redis-server on the PATH the error says how to install one', () => {
  expect(() => findRedisServer('/nonexistent')).toThrow(/apt-get install redis-server/);
});
