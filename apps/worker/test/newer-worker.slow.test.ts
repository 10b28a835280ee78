import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { buildAdmission } from '@passport/queue/admission';
import { readReceipts } from '@passport/queue/copies';
import { listedEventOf, retryByPerson } from '@passport/queue/events';
import { openLedger } from '@passport/queue/ledger';
import { readLibraryStates } from '@passport/queue/processes';
import { readEventState } from '@passport/queue/scans';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { waitFor } from '@passport/testkit';
import { type WorkerBench, type WorkerPlan, openWorkers } from './worker-bench.ts';
import { PATRON } from './workflow-bench.ts';

let bench: WorkerBench;
const open = async (plan?: WorkerPlan) => {
  bench = await openWorkers(plan);
  return bench;
};
afterEach(() => bench.close());

const HASH = (eventId: string) => `{passport}:scans:riverside.${eventId}`;
const isWaiting = ({ state }: { state: string }): boolean => state === 'waiting';
const reported = (eventId: string) =>
  bench.riverside.state().outcomes.find(({ event_id: id }) => id === eventId);

/** Gives an event's payload the version and what else a newer receiver would write. */
async function makeNewer(eventId: string): Promise<Record<string, unknown>> {
  const data = JSON.parse(String(await bench.redis.call('HGET', HASH(eventId), 'data'))) as object;
  const newer = { ...data, v: 3, shape: ['new'] };
  await bench.redis.call('HSET', HASH(eventId), 'data', JSON.stringify(newer));
  return newer;
}

describe('while services of two versions run', () => {
  test('a newer job waits at an older worker, the desk hears of it, and a newer one ends it', async () => {
    const { startWorker, accept, follow, redis } = await open();
    const eventId = await accept();
    await makeNewer(eventId);
    const older = await startWorker();

    expect(await follow(eventId, isWaiting)).toMatchObject({
      waiting_for: { library: 'riverside', reason: 'SERVICE_UPDATE' },
      message: 'The passport service is being updated.',
      attempt: 0,
    });
    await waitFor('the desk to be notified', () => reported(eventId)?.['state'] === 'waiting');
    expect(bench.midland.calls()).toHaveLength(0);
    expect(await older.metrics()).toMatch(
      /passport_jobs_requeued_total\{library="riverside",reason="newer_version"\} [1-9]/,
    );
    expect(older.logged).toContainEqual(
      expect.objectContaining({
        msg: 'requeued for a newer worker',
        event: eventId,
        level: expect.anything(),
      }),
    );
    const job = await bench.job(eventId);
    expect(job).toMatchObject({ data: { v: 3, shape: ['new'] }, attemptsMade: 0 });

    // The newer worker, as it were: it reads version 3 where this one reads version 2.
    const data = JSON.parse(String(await redis.call('HGET', HASH(eventId), 'data'))) as object;
    await redis.call('HSET', HASH(eventId), 'data', JSON.stringify({ ...data, v: 2 }));
    expect(await follow(eventId)).toMatchObject({ outcome: 'COPIED' });
  }, 30_000);

  test('a newer job that no newer worker came for fails, and can be retried by a person', async () => {
    const { startWorker, accept, follow, queue, redis } = await open({
      entry: { retry: { give_up_after: '5s' } },
    });
    const eventId = await accept();
    await makeNewer(eventId);
    await startWorker();

    expect(await follow(eventId)).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'other', name: 'the event needs a newer version of the worker' },
    });
    await waitFor('the desk to be notified', () => reported(eventId)?.['state'] === 'failed');
    await waitFor(
      'the job to be failed',
      async () => (await (await bench.job(eventId))?.getState()) === 'failed',
    );
    const job = await bench.job(eventId);
    expect(job && listedEventOf(job, false, (id) => id)).toMatchObject({
      kind: 'event',
      state: { outcome: 'MISCONFIGURED' },
    });

    const client = createRedis(redis.url, {
      role: 'reader',
      log: createLogger({ name: 't', level: 'fatal' }),
      name: 't',
    });
    await untilRedisReady(client, 2_000);
    const retried = await retryByPerson(queue, openLedger(client), `riverside.${eventId}`, Date.now());
    await closeRedis(client);
    expect(retried).toEqual({ kind: 'retried' });
    expect(await follow(eventId, isWaiting)).toMatchObject({ waiting_for: { reason: 'SERVICE_UPDATE' } });
    const data = (await bench.job(eventId))?.data;
    expect(data).toMatchObject({ v: 3, shape: ['new'] });
    expect(data?.encrypted_card).not.toBeNull();
  }, 30_000);

  test('a worker with an older file puts the events of a new library back, and one that knows it ends them', async () => {
    const { startWorker, accept, follow } = await open();
    const older = await startWorker({ knowsRiverside: false });
    const events = await Promise.all([1, 2].map(() => accept({ item: null })));
    for (const eventId of events) {
      expect(await follow(eventId, isWaiting)).toMatchObject({ waiting_for: { reason: 'SERVICE_UPDATE' } });
    }
    expect(await older.metrics()).toMatch(
      /passport_jobs_requeued_total\{library="riverside",reason="unknown_library"\} [1-9]/,
    );

    await startWorker();
    // Whoever is free takes a job: the older one may be lucky many times.
    const ends = await Promise.all(events.map((eventId) => follow(eventId, undefined, 60_000)));
    expect(new Set(ends.map(({ outcome }) => outcome))).toEqual(new Set(['ALREADY_LOCAL', 'COPIED']));
    for (const eventId of events) {
      await waitFor('the desk to be notified', () => reported(eventId)?.['state'] === 'done');
    }
  }, 90_000);
});

/** All that version 1 had in Redis in the middle of its work, moved to the present. */
interface Recorded {
  readonly recorded_ms: number;
  readonly keys: Readonly<Record<string, { readonly type: string; readonly value: unknown }>>;
}

async function restore(): Promise<void> {
  const file = new URL('../../../packages/contract/test/recorded/version-1.json', import.meta.url);
  const text = readFileSync(file, 'utf8');
  const { recorded_ms: recordedMs } = JSON.parse(text) as Recorded;
  const moved = text.replaceAll(/\b17\d{11}\b/g, (ms) => String(Number(ms) + Date.now() - recordedMs));
  const { keys } = JSON.parse(moved) as Recorded;
  const { redis } = bench;
  for (const [key, { type, value }] of Object.entries(keys)) {
    switch (type) {
      case 'string':
        await redis.call('SET', key, String(value));
        break;
      case 'hash':
        await redis.call('HSET', key, ...Object.entries(value as Record<string, string>).flat());
        break;
      case 'zset': {
        const pairs = value as string[];
        for (let at = 0; at < pairs.length; at += 2) {
          await redis.call('ZADD', key, String(pairs[at + 1]), String(pairs[at]));
        }
        break;
      }
      case 'stream':
        for (const [id, fields] of value as [string, string[]][])
          await redis.call('XADD', key, id, ...fields);
        break;
      default:
        throw new Error(`a ${type} was recorded`);
    }
  }
}

test('what version 1 left in Redis is worked on, retried, listed and known as if it were ours', async () => {
  const { startWorker, follow, queue, redis, midland, riverside } = await open();
  const client = createRedis(redis.url, {
    role: 'producer',
    log: createLogger({ name: 't', level: 'fatal' }),
    name: 't',
  });
  await untilRedisReady(client, 2_000);
  try {
    for (const n of [1, 2, 3, 4, 5]) {
      midland.putPatron(`2123400000010${n}`, PATRON);
      riverside.putItem(`3999900000010${n}`, {
        item_type_id: 'BK',
        home_library_id: 'MAIN',
        holding_library_id: 'MAIN',
      });
    }
    await restore();
    expect(await readLibraryStates(client, ['midland'], Date.now())).toMatchObject([{ condition: 'open' }]);
    await startWorker();

    for (const id of ['evt_queued', 'evt_waiting']) {
      expect(await follow(id)).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    }
    // Its copy is in no Koha of this test: what matters is that the checkout's own workflow goes on from it to an end.
    expect((await follow('evt_made')).outcome).not.toBeNull();
    expect(await retryByPerson(queue, openLedger(client), 'riverside.evt_failed', Date.now())).toEqual({
      kind: 'retried',
    });
    expect(await follow('evt_failed', ({ outcome }) => outcome === 'COPIED')).toMatchObject({
      state: 'done',
    });
    expect(await follow('evt_done')).toMatchObject({ outcome: 'COPIED', seq: 3 });

    const requestOf = (eventId: string) => ({
      mode: 'take' as const,
      library: 'riverside',
      eventId,
      bodyHashes: [`k1:hash-of-${eventId}`],
      scanHash: `k1:scan-${eventId}`,
      limits: { eventsPerSecond: 50, burst: 200, backlog: 10_000, remembered: 100_000 },
    });
    const answers = await buildAdmission(client)(['evt_done', 'evt_joined', 'evt_queued'].map(requestOf));
    expect(answers).toMatchObject([
      { kind: 'duplicate', eventId: 'evt_done', add: false },
      { kind: 'duplicate', eventId: 'evt_queued', add: false },
      { kind: 'duplicate', eventId: 'evt_queued', add: false },
    ]);
    expect(await readEventState(client, 'riverside', 'evt_joined', String)).toMatchObject({
      event_id: 'evt_queued',
    });
    const receipts: string[] = [];
    for await (const { eventId } of readReceipts(client)) receipts.push(eventId);
    expect(receipts).toEqual(expect.arrayContaining(['evt_done', 'evt_miss', 'evt_queued']));
    expect(await client.zcard('{passport}:backlog:riverside')).toBe(0);
  } finally {
    await closeRedis(client);
  }
}, 30_000);
