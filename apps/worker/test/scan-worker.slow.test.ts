import { afterEach, describe, expect, test } from '@jest/globals';
import { createEncryption } from '@passport/runtime';
import { listedEventOf } from '@passport/queue/events';
import { waitFor } from '@passport/testkit';
import { CARD, ITEM, jobData } from './builders.ts';
import { type WorkerBench, type WorkerPlan, openWorkers } from './worker-bench.ts';

let bench: WorkerBench;
const open = async (plan?: WorkerPlan) => {
  bench = await openWorkers(plan);
  return bench;
};
afterEach(() => bench.close());

const HASH = (eventId: string) => `{passport}:scans:riverside.${eventId}`;
const reported = (eventId: string) =>
  bench.riverside.state().outcomes.find(({ event_id: id }) => id === eventId);

describe('an event in the queue', () => {
  test('is worked on to its end: copied, checked out, reported, and nothing personal left in Redis', async () => {
    const { startWorker, accept, follow, redis } = await open();
    await startWorker();
    const eventId = await accept();

    const state = await follow(eventId);
    expect(state).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' }, attempt: 1 });
    const heard = await waitFor('Koha to be notified', () => reported(eventId));
    expect(heard).toMatchObject({ seq: state.seq, outcome: 'COPIED', message: state.message });
    const data = JSON.parse(String(await redis.call('HGET', HASH(eventId), 'data'))) as Record<
      string,
      unknown
    >;
    expect(data).toMatchObject({ encrypted_card: null, encrypted_item: null });
  });

  test('is resumed where its worker died after the end was written: reported, and done', async () => {
    const { startWorker, accept, follow } = await open();
    const progress = {
      ...jobData().progress,
      seq: 3,
      state: 'done',
      outcome: 'COPIED',
      patron_id: 7,
    } as const;
    const checkout = { result: 'CHECKED_OUT' as const, keys: [] };
    const eventId = await accept({
      job: { encrypted_card: null, encrypted_item: null, progress: { ...progress, checkout } },
    });
    await startWorker();
    await waitFor('Koha to be notified', () => reported(eventId));

    await waitFor('the job to be complete', async () => (await bench.job(eventId))?.finishedOn);
    expect(await follow(eventId)).toMatchObject({ outcome: 'COPIED', seq: 3 });
    expect(bench.midland.calls()).toHaveLength(0);
  });
});

describe('a patron whose copy is on record', () => {
  const receipts = () => bench.redis.call('XLEN', '{passport}:receipts');
  const creates = () => bench.riverside.calls().filter(({ operation }) => operation === 'POST /patrons');
  const written = () => waitFor('the receipt', async () => Number(await receipts()) > 0 || undefined);

  test('is not sent again by the next scan that does not find it: one look, and no second receipt', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    await startWorker();
    const first = await follow(await accept({ item: null }));
    await written();
    riverside.clearCalls();

    const again = await follow(await accept());

    expect(again).toMatchObject({ outcome: 'ALREADY_LOCAL', patron_id: first.patron_id });
    expect(again).toMatchObject({ checkout: { result: 'CHECKED_OUT' } });
    expect(creates()).toEqual([]);
    expect(await receipts()).toBe(1);
  });

  test('is sent when the copy is not there any more, with a receipt', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    await startWorker();
    await follow(await accept({ item: null }));
    await written();
    riverside.deletePatron(CARD);
    riverside.clearCalls();

    expect(await follow(await accept({ item: null }))).toMatchObject({ outcome: 'COPIED' });

    expect(creates()).toHaveLength(1);
    await waitFor('its receipt', async () => (await receipts()) === 2 || undefined);
  });
});

describe('a job that cannot be worked on', () => {
  test('for its payload is failed, and a person sees which fields', async () => {
    const { startWorker, queue, accept, follow, redis } = await open();
    await queue.add('riverside', { v: 1, event_id: 'evt_bad' } as never, {
      jobId: 'riverside.evt_bad',
      priority: 1,
    });
    await startWorker();
    await follow(await accept());

    const job = await bench.job('evt_bad');
    expect(job && listedEventOf(job, false, (id) => id)).toMatchObject({
      kind: 'unreadable',
      jobId: 'riverside.evt_bad',
      fields: expect.arrayContaining(['library', 'encrypted_card']),
    });
    expect(job?.failedReason).toContain('UNREADABLE_JOB');
    expect(await redis.call('ZRANGE', '{passport}:unreadable-jobs', '0', '-1')).toEqual([
      'riverside.evt_bad',
    ]);
  });

  test('for its data, which are no JSON, is failed at once, and delays nobody', async () => {
    const { startWorker, accept, follow, redis } = await open();
    const broken = await accept();
    await redis.call('HSET', HASH(broken), 'data', '{no json');
    const startedAt = performance.now();
    await startWorker();
    await follow(await accept());

    const failed = await waitFor('the job to be failed', async () => {
      const job = await bench.job(broken);
      return (await job?.getState()) === 'failed' ? job : null;
    });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(failed).toMatchObject({ failedReason: 'UNREADABLE_JOB (whole)', stalledCounter: 0 });
  });

  test('for a key that is not here says so, and keeps its card for when it is', async () => {
    const { startWorker, accept, follow } = await open();
    const foreign = createEncryption([Buffer.alloc(32, 99)]);
    const encrypted = foreign.encrypt(CARD, 'riverside.evt_x.card');
    const eventId = await accept({ job: { event_id: 'evt_x', encrypted_card: encrypted } });
    await startWorker();

    expect(await follow(eventId)).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'other', name: 'PASSPORT_KEY' },
    });
    expect((await bench.job(eventId))?.data.encrypted_card).toBe(encrypted);
  });

  test('because its worker dies of it ends with an outcome of ours', async () => {
    const { startWorker, accept, follow, redis } = await open();
    const eventId = await accept();
    await redis.call('HSET', HASH(eventId), 'stc', '5');
    await startWorker();

    expect(await follow(eventId)).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { what: 'other', name: 'the worker died of it' },
    });
    expect(bench.midland.calls()).toHaveLength(0);
  });
});

describe('what a failed job keeps', () => {
  test('is its card for a person, and its item only while it could be checked out', async () => {
    const { startWorker, accept, follow } = await open({ entry: { retry: { checkout_within: '2s' } } });
    bench.midland.putSettings({ permissions: [] });
    await startWorker();
    const eventId = await accept();
    expect(await follow(eventId)).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland' },
    });
    const before = await bench.job(eventId);
    expect(before?.data.encrypted_card).not.toBeNull();

    await waitFor(
      'the item to be gone',
      async () => (await bench.job(eventId))?.data.encrypted_item === null,
      {
        timeoutMs: 15_000,
      },
    );
    expect((await bench.job(eventId))?.data.encrypted_card).not.toBeNull();
  });
});

describe('T-21 beyond its hourly limits', () => {
  test('a library’s copies wait, say so and raise the metric', async () => {
    const { startWorker, accept, follow } = await open({
      entry: { limits: { copies_per_hour: 1, misses_per_hour: 100 } },
    });
    const worker = await startWorker();
    await follow(await accept({ item: null }));
    bench.midland.putPatron('21234000000022', {
      surname: 'Second',
      category_id: 'AD',
      expiry_date: '2037-12-31',
    });
    bench.midland.clearCalls();
    const second = await accept({ card: '21234000000022', item: null });

    expect(await follow(second, ({ state }) => state === 'waiting')).toMatchObject({
      waiting_for: { library: 'riverside', reason: 'LIMIT_REACHED' },
      attempt: 0,
    });
    expect(bench.midland.calls()).toHaveLength(0);
    expect(await worker.metrics()).toMatch(
      /passport_limit_reached_total\{library="riverside",limit="copies"\} 1/,
    );
    await waitFor('the desk to be notified', () => reported(second)?.['state'] === 'waiting');
  });

  test('a library’s misses wait, so that nobody tries all cards', async () => {
    const { startWorker, accept, follow } = await open({ entry: { limits: { misses_per_hour: 2 } } });
    await startWorker();
    for (const n of [1, 2]) {
      expect(await follow(await accept({ card: `2123400000090${n}` }))).toMatchObject({
        outcome: 'NOT_FOUND',
      });
    }
    const third = await accept({ card: '21234000000903' });
    expect(await follow(third, ({ state }) => state === 'waiting')).toMatchObject({
      waiting_for: { reason: 'LIMIT_REACHED' },
    });
  });

  test('a library’s decisions without a copy wait: they reveal something of people, too', async () => {
    const { startWorker, accept, follow } = await open({ entry: { limits: { verdicts_per_hour: 2 } } });
    const worker = await startWorker();
    const late = { surname: 'Late', category_id: 'AD', expiry_date: '2020-01-01' };
    const cards = ['21234000000033', '21234000000034', '21234000000035'];
    for (const card of cards) bench.midland.putPatron(card, late);
    for (const card of cards.slice(0, 2)) {
      expect(await follow(await accept({ card }))).toMatchObject({ outcome: 'NOT_ELIGIBLE' });
    }
    const third = await accept({ card: cards[2] ?? '' });
    expect(await follow(third, ({ state }) => state === 'waiting')).toMatchObject({
      waiting_for: { library: 'riverside', reason: 'LIMIT_REACHED' },
    });
    expect(await worker.metrics()).toMatch(
      /passport_limit_reached_total\{library="riverside",limit="verdicts"\} 1/,
    );
  });

  test('a record that the lending Koha refused counts as a copy and has its receipt', async () => {
    const { startWorker, accept, follow, riverside } = await open({
      entry: { limits: { copies_per_hour: 2 } },
    });
    await startWorker();
    const error = 'A patron record matching these details already exists';
    riverside.addFaults([
      { operation: 'POST /patrons', times: 3, kind: 'status', status: 409, body: { error } },
    ]);
    for (const n of [1, 2]) {
      const card = `2123400000005${n}`;
      bench.midland.putPatron(card, {
        surname: `Visitor ${n}`,
        category_id: 'AD',
        expiry_date: '2037-12-31',
      });
      expect(await follow(await accept({ card, item: null }))).toMatchObject({
        outcome: 'LOOKS_LIKE_LOCAL_PATRON',
      });
    }
    expect(await bench.redis.call('XLEN', '{passport}:receipts')).toBe(2);
    const third = await accept({ item: null });
    expect(await follow(third, ({ state }) => state === 'waiting')).toMatchObject({
      waiting_for: { library: 'riverside', reason: 'LIMIT_REACHED' },
    });
  });

  test('a record that has left has its receipt while its event still waits for the lending Koha', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    await startWorker();
    riverside.addFaults([{ operation: 'POST /patrons', times: 1_000, kind: 'html', status: 503 }]);
    const eventId = await accept({ item: null });
    await follow(eventId, ({ state }) => state === 'waiting');

    await waitFor('its receipt', async () => (await bench.redis.call('XLEN', '{passport}:receipts')) === 1);
    expect(await bench.job(eventId)).toMatchObject({ data: { progress: { outcome: null } } });
  });

  test('a record that leaves after a search that failed has a receipt beside that of the search', async () => {
    const { startWorker, accept, follow, riverside } = await open({
      riverside: { release: '24.11' },
      entry: { copy: { on_look_alike: 'stop' } },
    });
    await startWorker();
    riverside.addFaults([{ operation: 'GET /patrons', times: 1_000, kind: 'html', status: 503 }]);
    const eventId = await accept({ item: null });
    await follow(eventId, ({ state }) => state === 'waiting');
    const receipts = async () => {
      const stored = (await bench.redis.call('XRANGE', '{passport}:receipts', '-', '+')) as [
        string,
        string[],
      ][];
      return stored.map(([, [, text = '{}']]) => JSON.parse(text) as { fields: string[] });
    };
    const COMPARED = ['surname', 'firstname', 'date_of_birth'];
    await waitFor('the receipt of the search', async () => (await receipts()).length === 1);
    expect(await receipts()).toMatchObject([{ fields: COMPARED }]);
    riverside.clearFaults();

    expect(await follow(eventId)).toMatchObject({ outcome: 'COPIED' });
    expect(await receipts()).toMatchObject([
      { fields: COMPARED },
      { eventId, homeKey: 'midland:2', fields: expect.arrayContaining([...COMPARED, 'email', 'address']) },
    ]);
  });

  test('what neither copied nor missed costs nothing of the hour', async () => {
    const { startWorker, accept, follow } = await open({
      entry: { limits: { copies_per_hour: 1, misses_per_hour: 1 } },
    });
    await startWorker();
    const late = { surname: 'Late', category_id: 'AD', expiry_date: '2020-01-01' };
    for (const card of ['21234000000033', '21234000000034']) {
      bench.midland.putPatron(card, late);
      expect(await follow(await accept({ card }))).toMatchObject({ outcome: 'NOT_ELIGIBLE' });
    }
    expect(await follow(await accept())).toMatchObject({ outcome: 'COPIED' });
  });
});

describe('T-20 one patron at several desks at once', () => {
  test('one card, many desks, two workers, fifty runs: always one marked copy', async () => {
    const { startWorker, accept, follow, riverside, midland } = await open({
      riverside: { settings: { unique_gap_ms: 5 } },
    });
    await Promise.all([startWorker(), startWorker()]);
    for (let run = 0; run < 50; run += 1) {
      const card = `212340010${String(run).padStart(5, '0')}`;
      midland.putPatron(card, { surname: `Desk ${run}`, category_id: 'AD', expiry_date: '2037-12-31' });
      const events = await Promise.all([1, 2].map(() => accept({ card, item: null })));
      const ends = await Promise.all(events.map((eventId) => follow(eventId)));
      expect(new Set(ends.map(({ outcome }) => outcome))).toEqual(new Set(['ALREADY_LOCAL', 'COPIED']));
    }
    const copies = riverside.state().patrons.filter(({ surname }) => surname?.startsWith('Desk'));
    expect(copies).toHaveLength(50);
    expect(copies.every((copy) => copy.extended_attributes.length === 2)).toBe(true);
  }, 60_000);

  test('the old and the new card of one patron at the same moment, fifty runs: one copy each', async () => {
    const { startWorker, accept, follow, riverside, midland } = await open({
      // Long enough for the second scan to come in between.
      riverside: { settings: { unique_gap_ms: 60 } },
    });
    await Promise.all([startWorker(), startWorker()]);
    for (let run = 0; run < 50; run += 1) {
      const [oldCard, newCard] = [`OLD-${run}`, `NEW-${run}`];
      const patron = midland.putPatron(oldCard, {
        surname: `Moved ${run}`,
        category_id: 'AD',
        expiry_date: '2037-12-31',
      });
      riverside.clearCalls();
      const first = await accept({ card: oldCard, item: null });
      await waitFor(
        'the copy to be sent',
        () => riverside.calls().some(({ operation }) => operation === 'POST /patrons'),
        { everyMs: 2 },
      );
      // With the old name Koha would make the old copy's login again, and refuse it.
      midland.putPatron(oldCard, { cardnumber: newCard, surname: `Married ${run}` });
      const second = await accept({ card: newCard, item: null });
      const ends = await Promise.all([follow(first), follow(second)]);
      expect(ends[0]?.outcome).toBe('COPIED');
      expect(ends[1]).toMatchObject({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] });
      expect(riverside.state(newCard).patrons[0]?.extended_attributes).toContainEqual(
        expect.objectContaining({ type: 'PASSPORTED_ID', value: `midland:${patron.patron_id}` }),
      );
      expect(riverside.state(oldCard).patrons).toHaveLength(0);
    }
  }, 60_000);
});

test('the item of the scan is checked out once, whoever is faster', async () => {
  const { startWorker, accept, follow, riverside } = await open();
  await Promise.all([startWorker(), startWorker()]);
  const events = await Promise.all(Array.from({ length: 12 }, () => accept()));
  const ends = await Promise.all(events.map((eventId) => follow(eventId)));

  expect(riverside.state(CARD).checkouts).toMatchObject([{ external_id: ITEM, renewals_count: 0 }]);
  expect(ends.filter(({ checkout }) => checkout?.result === 'CHECKED_OUT')).toHaveLength(1);
  expect(ends.filter(({ checkout }) => checkout?.result === 'ALREADY_CHECKED_OUT')).toHaveLength(11);
});
