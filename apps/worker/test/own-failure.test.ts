import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { leakGuard, waitFor } from '@passport/testkit';
import { openWorkers } from './worker-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const FAILURES_TO_OPEN = 5;

test('a job whose own failure opened the circuit is promoted with the others, as soon as the library is back', async () => {
  const bench = await openWorkers();
  own({ stop: () => bench.close() });
  const { accept, follow, state, midland, redis, startWorker } = bench;
  midland.addFaults([{ operation: 'GET /patrons', kind: 'html', status: 502, times: 1_000 }]);
  const worker = await startWorker();
  const cards = Array.from({ length: FAILURES_TO_OPEN }, (_, n) => `2123400000010${n}`);
  const events = await Promise.all(cards.map((card) => accept({ card, item: null })));

  const failed = await waitFor('a job that failed itself to wait for the circuit', async () => {
    const waiting = (await redis.call('SMEMBERS', '{passport}:delayed:midland')) as string[];
    for (const eventId of events.filter((id) => waiting.includes(`riverside.${id}`)))
      if ((await state(eventId))?.waiting_for?.reason === 'NO_ANSWER') return eventId;
    return false;
  });
  expect(worker.logged).toContainEqual(expect.objectContaining({ library: 'midland', circuit: 'open' }));
  midland.clearFaults();

  expect(await follow(failed)).toMatchObject({ outcome: 'NOT_FOUND' });
});
