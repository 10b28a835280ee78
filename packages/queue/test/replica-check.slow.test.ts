import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type StartedRedis, startRedis, waitFor } from '@passport/testkit';
import { openLedger } from '@passport/queue/ledger';
import { buildReplicaCheck } from '@passport/queue/redis';
import { addScans } from '@passport/queue/scans';
import { type QueueFixture, jobData, openQueueFixture, question, openAdmission } from './queue-fixture.ts';

let fixture: QueueFixture;
let replica: StartedRedis;
beforeAll(async () => {
  fixture = await openQueueFixture();
  replica = await startRedis({ replicaOf: fixture.server.port });
  await waitFor('the replica to be connected', async () => (await check(1)([])) || null, {
    timeoutMs: 15_000,
  });
}, 30_000);
afterEach(async () => {
  replica.thaw();
  await fixture.clear();
});
afterAll(async () => {
  await replica.stop();
  await fixture.close();
});

const WAIT_MS = 200;
const check = (minReplicas: number) => buildReplicaCheck(fixture.redis, minReplicas, WAIT_MS);
const EVENT = { library: 'riverside', eventId: 'evt_1' };

async function accept(): Promise<void> {
  await openAdmission(fixture)(question());
  await addScans(fixture.queue, [{ job: jobData(), priority: 1 }]);
}

describe('whether replicas have an event', () => {
  test('one that is queued is there, and the replica really has it', async () => {
    await accept();

    expect(await check(1)([EVENT])).toBe(true);
    expect(await replica.call('EXISTS', '{passport}:scans:riverside.evt_1')).toBe(1);
  });

  test('with fewer replicas than required it is not, and the answer comes in time', async () => {
    await accept();
    const start = performance.now();

    expect(await check(2)([EVENT])).toBe(false);
    expect(performance.now() - start).toBeLessThan(WAIT_MS * 5);
  });

  test('a replica that does not follow does not count', async () => {
    replica.freeze();
    await accept();

    expect(await check(1)([EVENT])).toBe(false);
  });

  test('an event that this master never saw is not there, whatever the replicas say', async () => {
    await accept();

    expect(await check(1)([EVENT, { ...EVENT, eventId: 'evt_2' }])).toBe(false);
  });

  test('one with an idempotency key but no job was lost', async () => {
    await openAdmission(fixture)(question());

    expect(await check(1)([EVENT])).toBe(false);
  });

  test('one that has ended needs no job any more', async () => {
    await openAdmission(fixture)(question());
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', '2026-11-25T12:00:00.000Z', {
      used: 'copies',
    });

    expect(await check(1)([EVENT])).toBe(true);
  });
});

describe('on a cluster', () => {
  test('the master that has the event is used', async () => {
    const cluster = await openQueueFixture({ cluster: true });
    try {
      await addScans(cluster.queue, [{ job: jobData(), priority: 1 }]);
      const held = [0, 1].map((most) => buildReplicaCheck(cluster.redis, most, 50)([EVENT]));

      expect(await Promise.all(held)).toEqual([true, false]);
    } finally {
      await cluster.close();
    }
  });
});
