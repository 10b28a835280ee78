import { afterEach, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type WorkerBench, openWorkers } from './worker-bench.ts';

let bench: WorkerBench;
afterEach(() => bench.close());

const SCANS = 24;
const cards = Array.from({ length: SCANS }, (_, n) => `2123400001${String(n).padStart(4, '0')}`);
const copies = (): string[] =>
  bench.riverside
    .state()
    .patrons.flatMap(({ cardnumber }) =>
      cardnumber !== null && cards.includes(cardnumber) ? [cardnumber] : [],
    );
const receipts = async (): Promise<number> => Number(await bench.redis.call('XLEN', '{passport}:receipts'));

/**
 * A Redis that loses its last second as `appendfsync everysec` may: it comes back as it was when it was saved. Whatever
 * was done after that is gone from it, jobs, ends and receipts; the copies in Koha are not.
 */
test('after a Redis that lost its last second there is a receipt for each copy, the forgotten events included', async () => {
  bench = await openWorkers({ riverside: { settings: { latency_ms: 20 } } });
  const { redis, midland, startWorker, accept, state } = bench;
  for (const [n, cardnumber] of cards.entries()) {
    midland.putPatron(cardnumber, {
      surname: `Visitor ${n}`,
      firstname: `Number ${n}`,
      category_id: 'AD',
      expiry_date: '2037-12-31',
    });
  }
  const [first = '', ...others] = cards;
  await startWorker({ concurrency: 4 });
  await accept({ card: first, item: null });
  await waitFor('the first copy', () => copies().length === 1);
  const before = await Promise.all(others.slice(0, 12).map((card) => accept({ card, item: null })));
  await redis.call('SAVE');
  await Promise.all(others.slice(12).map((card) => accept({ card, item: null })));
  await waitFor('most copies to be made', () => copies().length >= SCANS - 3);
  await redis.kill();
  await redis.restart();

  const patient = { timeoutMs: 30_000 };
  const areDone = async (): Promise<boolean> => {
    const states = await Promise.all(before.map((eventId) => state(eventId)));
    return states.every((each) => each?.state === 'done');
  };
  await waitFor('the events that Redis still knows to end', areDone, patient);
  // As many as copies: some of the receipts are of events that nobody knows any more.
  await waitFor('a receipt for each copy', async () => (await receipts()) === copies().length, patient);
  expect(copies().length).toBeGreaterThanOrEqual(SCANS - 3);
  expect(new Set(copies()).size).toBe(copies().length);
}, 90_000);
