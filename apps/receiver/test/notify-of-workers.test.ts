import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Consortium, Secret } from '@passport/config';
import { NOTIFICATION_TOPICS } from '@passport/contract';
import {
  type Redis,
  closeRedis,
  createLogger,
  createMetrics,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, startRedis, waitFor } from '@passport/testkit';
import { startWorkerNotifier } from '../src/notify-of-workers.ts';

let server: StartedRedis;
let redis: Redis;
let endpoint: Server;
const received: string[] = [];
const log = createLogger({ name: 'test', level: 'silent' });
beforeAll(async () => {
  endpoint = createServer((request, response) => {
    received.push(request.url ?? '');
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  server = await startRedis();
  redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
});
afterAll(async () => {
  await closeRedis(redis);
  endpoint.closeAllConnections();
  endpoint.close();
  await server.stop();
});

/** A configuration that notifies at this path. */
const consortium = (path: string): Consortium => {
  const url = new Secret(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}${path}`);
  const ops = {
    name: 'ops',
    url,
    format: 'slack',
    secret: null,
    topics: NOTIFICATION_TOPICS,
    libraries: 'all',
  };
  const addresses = { receiver: null, dashboard: null };
  return { name: 'Test', public: addresses, libraries: [], notify: [ops] } as unknown as Consortium;
};
const metrics = () => createMetrics({ process: 'test', logHealth: log.health });

test('a receiver reports that no worker is left, where its configuration says by now, and only while none is', async () => {
  let aheadMs = 0;
  let workers = 1;
  let looks = 0;
  const notifier = startWorkerNotifier({
    redis,
    hasWorker: async () => {
      looks += 1;
      return workers > 0;
    },
    now: () => Date.now() + aheadMs,
    newId: () => `id-${aheadMs}`,
    random: () => 0,
    everyMs: 20,
    log,
  });
  /** Two looks from now on, however lately somebody has looked. */
  const twoLooks = async (): Promise<void> => {
    const before = looks;
    await waitFor('two more looks', async () => {
      await redis.del('{passport}:notices:watch');
      return looks >= before + 3;
    });
  };
  try {
    notifier.use(consortium('/old'), metrics());
    await twoLooks();
    aheadMs += 60_000;
    await twoLooks();
    expect(await redis.keys('*')).toEqual([]);
    workers = 0;
    await twoLooks();
    expect(received).toEqual([]);
    notifier.use(consortium('/new'), metrics());
    aheadMs += 20_000;
    await waitFor('the message', async () => {
      await redis.del('{passport}:notices:watch');
      return received.length > 0;
    });
    await twoLooks();
    expect(received).toEqual(['/new']);
  } finally {
    await notifier.close();
  }
});

test('a receiver reports by itself that Redis has frozen, once, and that it answers again', async () => {
  received.length = 0;
  let aheadMs = 0;
  const notifier = startWorkerNotifier({
    redis,
    hasWorker: () => Promise.resolve(true),
    now: () => Date.now() + aheadMs,
    newId: () => 'id',
    random: () => 0,
    everyMs: 20,
    answerMs: 100,
    log,
  });
  try {
    notifier.use(consortium('/outage'), metrics());
    server.freeze();
    await waitFor('the message', () => {
      aheadMs += 1_000;
      return received.length > 0;
    });
    // Nothing is due before half a minute, and a message that was taken is not repeated then.
    const beforeMs = aheadMs;
    await waitFor('a minute more', () => {
      aheadMs += 1_000;
      return aheadMs > beforeMs + 60_000;
    });
    expect(received).toEqual(['/outage']);
    server.thaw();
    await waitFor('the end', () => received.length > 1);
    expect(received).toEqual(['/outage', '/outage']);
  } finally {
    server.thaw();
    await notifier.close();
  }
});
