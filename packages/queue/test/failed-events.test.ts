import { expect, test } from '@jest/globals';
import type { JobData, Outcome } from '@passport/contract';
import { listFailed, retryByPerson } from '@passport/queue/events';
import { openLedger } from '@passport/queue/ledger';
import { addScans, cancelEvent } from '@passport/queue/scans';
import { NOON, jobData, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

type End = Partial<JobData> & { readonly outcome?: Outcome };

async function fail(eventId: string, { outcome = 'MISCONFIGURED', ...change }: End = {}): Promise<void> {
  const data = jobData({ event_id: eventId, ...change });
  const progress = { ...data.progress, seq: 7, state: 'failed', outcome } as const;
  await addScans(fixture.queue, [{ job: { ...data, progress }, priority: 5 }]);
  await fixture.mover.fail(await fixture.mover.take());
}

const list = async (of: Partial<Parameters<typeof listFailed>[1]> = {}) => {
  const { events, ...others } = await listFailed(
    fixture,
    { sinceMs: 0, libraries: null, outcomes: ['MISCONFIGURED'], ...of },
    (id) => id,
  );
  return { ids: events.map(({ jobId }) => jobId), events, ...others };
};

test('the failed events of an outcome and a library are listed, the newest scan first', async () => {
  await fail('evt_1', { received_ms: NOON });
  await fail('evt_2', { received_ms: NOON + 2_000, age_at_delivery_ms: 1_000 });
  await fail('evt_3', { library: 'lakeside', received_ms: NOON + 500 });
  await fail('evt_4', { outcome: 'HOME_UNREACHABLE' });

  expect((await list()).ids).toEqual(['riverside.evt_2', 'lakeside.evt_3', 'riverside.evt_1']);
  expect((await list({ libraries: ['riverside'] })).ids).toEqual(['riverside.evt_2', 'riverside.evt_1']);
  expect((await list({ libraries: ['river'] })).ids).toEqual([]);
  expect((await list({ outcomes: ['HOME_UNREACHABLE'] })).ids).toEqual(['riverside.evt_4']);
  expect((await list()).events[0]).toMatchObject({
    scannedMs: NOON + 1_000,
    state: { outcome: 'MISCONFIGURED' },
  });
});

test('the newest so many are those of the libraries that are wanted, and a cut is told', async () => {
  await fail('evt_1', { received_ms: NOON });
  await fail('evt_2', { received_ms: NOON + 1_000 });
  await fail('evt_3', { library: 'lakeside' });

  expect(await list({ libraries: ['riverside'], most: 2 })).toMatchObject({
    ids: ['riverside.evt_2', 'riverside.evt_1'],
    isCut: false,
  });
  expect(await list({ libraries: ['riverside', 'lakeside'], most: 2 })).toMatchObject({ isCut: true });
  expect((await list({ most: 2 })).ids).toHaveLength(2);
  expect(await list({ libraries: [] })).toMatchObject({ ids: [], isCut: false });
});

test('only those that failed since then, by the time of the failure', async () => {
  await fail('evt_1', { received_ms: NOON });
  const failedMs = (await list()).events[0]?.failedMs ?? 0;

  expect((await list({ sinceMs: failedMs })).ids).toEqual(['riverside.evt_1']);
  expect((await list({ sinceMs: failedMs + 1 })).ids).toEqual([]);
});

test('more than fit into one answer of Redis', async () => {
  for (let n = 0; n < 3; n += 1) await fail(`evt_${n}`);
  const names = Array.from({ length: 1_200 }, (_, n) => ['1', `elsewhere.evt_${n}`]).flat();
  await fixture.redis.zadd('{passport}:scans:failed', ...names);

  expect((await list()).ids).toHaveLength(3);
});

test('what was retried is listed no more, and after its next failure as retried before', async () => {
  await fail('evt_1');
  expect((await list()).events[0]).toMatchObject({ wasRetried: false, hasCard: true });

  await retryByPerson(fixture.queue, openLedger(fixture.redis), 'riverside.evt_1', NOON);
  expect((await list()).ids).toEqual([]);

  const job = await fixture.mover.take();
  const progress = { ...job.data.progress, state: 'failed', outcome: 'MISCONFIGURED' } as const;
  await job.updateData({ ...job.data, progress });
  await fixture.mover.fail(job);
  expect((await list()).events[0]).toMatchObject({ wasRetried: true });
});

test('an event whose retry was cut short between its two commands is still listed, and can be retried', async () => {
  await fail('evt_1');
  const [id] = (await list()).ids;
  const queue = Object.assign(Object.create(fixture.queue) as typeof fixture.queue, {
    getJob: async () =>
      Object.assign((await fixture.queue.getJob(id ?? '')) ?? {}, {
        retry: () => Promise.reject(new Error('cut short')),
      }),
  });
  const ledger = openLedger(fixture.redis);
  await expect(retryByPerson(queue, ledger, id ?? '', NOON)).rejects.toThrow('cut short');

  expect(await list()).toMatchObject({ ids: [id], events: [{ state: { outcome: null } }] });
  expect(await retryByPerson(fixture.queue, ledger, id ?? '', NOON)).toEqual({ kind: 'retried' });
  expect((await list()).ids).toEqual([]);
});

test('whether an item waits, and whether it is still there', async () => {
  await fail('evt_1', { checkout_requested: true, encrypted_item: 'encrypted' });
  await fail('evt_2', { checkout_requested: true, encrypted_item: null, encrypted_card: null });

  const facts = (await list()).events.map(({ jobId, checkoutRequested, hasItem, hasCard }) =>
    [jobId, checkoutRequested, hasItem, hasCard].join(' '),
  );
  expect(new Set(facts)).toEqual(
    new Set(['riverside.evt_1 true true true', 'riverside.evt_2 true false false']),
  );
});

test('whether its library has cancelled it since', async () => {
  await fail('evt_1');
  expect((await list()).events[0]?.isCancelled).toBe(false);
  await cancelEvent(fixture.redis, fixture.queue, 'riverside', 'evt_1');
  expect((await list()).events[0]?.isCancelled).toBe(true);
});

test('what cannot be read is counted', async () => {
  await fail('evt_1');
  await fixture.redis.hset('{passport}:scans:riverside.evt_1', 'data', '{"v":1}');

  expect(await list()).toMatchObject({ ids: [], unreadable: 1 });
});
