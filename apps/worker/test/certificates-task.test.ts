import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Library } from '@passport/config';
import { readCertificates } from '@passport/queue/notices';
import { type Redis, closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type StartedRedis, makeTestCertificate, startRedis } from '@passport/testkit';
import { certificatesTask } from '../src/maintenance/notify-tasks.ts';

let dir: string;
let server: StartedRedis;
let redis: Redis;
let koha: Server;
let met: number;
let nowMs: number;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'passport-certificates-'));
  const { certFile, keyFile } = await makeTestCertificate(dir);
  koha = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  koha.on('connection', () => (met += 1));
  await new Promise<void>((resolve) => koha.listen(0, '127.0.0.1', resolve));
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
});
beforeEach(async () => {
  met = 0;
  nowMs = Date.now();
  await server.call('FLUSHALL');
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
  koha.closeAllConnections();
  koha.close();
  await rm(dir, { recursive: true, force: true });
});

const library = (id: string, url = `https://127.0.0.1:${(koha.address() as AddressInfo).port}`): Library =>
  ({ id, koha: { url, timeoutMs: 2_000 } }) as unknown as Library;
const look = async (libraries: readonly Library[], paused: string | null = null): Promise<void> => {
  const pauseLeft = (id: string): number | null => (id === paused ? 60_000 : null);
  await certificatesTask({ libraries, redis, pauseLeft, now: () => nowMs }).work();
};
const hoursLeft = async (id: string): Promise<number | null> => {
  const seen = (await readCertificates(redis)).get(id);
  return seen === undefined || seen.until_ms === null
    ? null
    : Math.round((seen.until_ms - nowMs) / 3_600_000);
};

test('the end of a certificate is read, whoever signed it, and not again for half a day', async () => {
  await look([library('midland')]);
  expect(await hoursLeft('midland')).toBe(24);
  await look([library('midland')]);
  expect(met).toBe(1);
  nowMs += 12 * 3_600_000;
  await look([library('midland')]);
  expect(met).toBe(2);
});

test('few are read at once, in turn, and none of a library that is paused', async () => {
  const five = ['a', 'b', 'c', 'd', 'e'].map((id) => library(id));
  await look(five, 'a');
  expect(met).toBe(3);
  await look(five, 'a');
  expect(met).toBe(4);
  expect(await hoursLeft('a')).toBeNull();
});

test('what was read once stays known while the library is away, which is tried again within the hour', async () => {
  await look([library('midland')]);
  nowMs += 12 * 3_600_000;
  await look([library('midland', 'https://127.0.0.1:1')]);
  expect(await hoursLeft('midland')).toBe(12);
  await look([library('riverside', 'https://127.0.0.1:1')]);
  await look([library('riverside')]);
  expect(await hoursLeft('riverside')).toBeNull();
  nowMs += 3_600_000;
  await look([library('riverside')]);
  expect(await hoursLeft('riverside')).toBe(11);
});
