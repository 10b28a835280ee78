import { afterEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@passport/testkit';
import { type WorkerBench, type WorkerPlan, openWorkers } from './worker-bench.ts';

let bench: WorkerBench;
const open = async (plan?: WorkerPlan) => {
  bench = await openWorkers(plan);
  return bench;
};
afterEach(() => bench.close());

const REPORT = 'PUT /contrib/passport/scans/{event_id}/outcome';
const reported = (eventId: string) =>
  bench.riverside.state().outcomes.find(({ event_id: id }) => id === eventId);
const reports = () => bench.riverside.calls().filter(({ operation }) => operation === REPORT);

describe('a report to Koha', () => {
  test.each([
    ['an error', { kind: 'status', status: 500 }],
    ['a reset before it was stored', { kind: 'reset_before' }],
    ['a reset after it was stored', { kind: 'reset_after' }],
    ['HTML', { kind: 'html' }],
    ['a call for patience', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
    ['silence', { kind: 'hang' }],
  ] as const)('is tried again beside the outcome after %s', async (_what, fault) => {
    const { startWorker, accept, follow, riverside } = await open();
    await startWorker();
    riverside.addFaults([{ operation: REPORT, ...fault }]);
    const eventId = await accept();

    const state = await follow(eventId);
    expect(state.outcome).toBe('COPIED');
    await waitFor('the desk to be notified', () => reported(eventId)?.seq === state.seq);
  });

  test('is made again at once where a proxy refuses it for a moment', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    const worker = await startWorker();
    riverside.addFaults([{ operation: REPORT, kind: 'html', status: 502, times: 2 }]);
    const eventId = await accept();

    const state = await follow(eventId);
    await waitFor('the desk to be notified', () => reported(eventId)?.seq === state.seq);
    expect(reports()).toHaveLength(3);
    expect(worker.logged.map(({ msg }) => msg)).not.toContain('report will be sent later');
  });

  test('says at once that an event waits, and for whom, then how it ended', async () => {
    const { startWorker, accept, follow, midland } = await open();
    await startWorker();
    midland.addFaults([{ operation: 'GET /patrons', kind: 'status', status: 502, times: 2 }]);
    const eventId = await accept();

    await waitFor('the desk to be notified of the wait', () => reported(eventId)?.state === 'waiting');
    expect(reported(eventId)).toMatchObject({
      waiting_for: { library: 'midland', reason: 'NO_ANSWER' },
      message: 'No answer yet from midland library.',
    });
    const state = await follow(eventId);
    await waitFor('the desk to be notified of the end', () => reported(eventId)?.state === 'done');
    expect(reported(eventId)?.seq).toBe(state.seq);
    expect(reports().length).toBeLessThanOrEqual(3);
  });

  test('is left to nobody where the library has no plugin', async () => {
    const { startWorker, accept, follow } = await open({ entry: { retry: { tell_koha: false } } });
    await startWorker();
    await follow(await accept());

    expect(reports()).toHaveLength(0);
  });

  test('that is refused for good delays no event', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    riverside.putSettings({ plugin: false });
    await startWorker();

    expect(await follow(await accept())).toMatchObject({ outcome: 'COPIED' });
    expect(await follow(await accept({ card: '21234000000088' }))).toMatchObject({ outcome: 'NOT_FOUND' });
  });

  test('goes on when its Koha is back, though no scan needs it any more', async () => {
    const { startWorker, accept, follow, riverside, midland, job } = await open();
    const worker = await startWorker();
    riverside.addFaults([{ operation: '*', kind: 'html', status: 502, times: 10_000 }]);
    const waiting = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => {
        const card = `2123400000050${n}`;
        midland.putPatron(card, { surname: `N${n}`, category_id: 'AD', expiry_date: '2037-12-31' });
        return accept({ card, item: null });
      }),
    );
    await waitFor('the library to be given up for now', () =>
      worker.logged.some(({ circuit }) => circuit === 'open'),
    );
    for (const eventId of waiting) await waitFor('it to be gone', () => removed(job, eventId));
    const eventId = await accept({ card: '21234000000088' });
    await follow(eventId);
    riverside.clearFaults();

    await waitFor('the desk to be notified', () => reported(eventId)?.state === 'done', {
      timeoutMs: 20_000,
    });
  }, 45_000);
});

async function removed(job: WorkerBench['job'], eventId: string): Promise<boolean> {
  await (await job(eventId))?.remove();
  return (await job(eventId)) === undefined;
}
