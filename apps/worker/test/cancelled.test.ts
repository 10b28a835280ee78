import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Cancelled, cancelEvent } from '@passport/queue/scans';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard, waitFor } from '@passport/testkit';
import { ScanCancelled } from '../src/provision/scan.ts';
import { CARD, ITEM } from './builders.ts';
import { type WorkerBench, type WorkerPlan, openWorkers } from './worker-bench.ts';
import {
  PATRON,
  type WorkflowBench,
  type WorkflowPlan,
  endOfRun,
  openWorkflow,
  waitOf,
} from './workflow-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const cancelled = (): Promise<never> => Promise.reject(new ScanCancelled());
const SENT = { home: 'midland', home_key: 'midland:2', fields: ['surname'] };

describe('a run of an event that is cancelled', () => {
  const open = async (plan: WorkflowPlan = {}) => own(await openWorkflow(plan));

  test('before anything was sent queries nobody', async () => {
    const workflow = await open();

    expect(endOfRun(await workflow.run({ isCancelled: true }))).toEqual({ outcome: 'CANCELLED' });
    expect(workflow.calls()).toEqual([]);
  });

  test('before the copy writes nothing, and names no home', async () => {
    const workflow = await open();

    expect(endOfRun(await workflow.run({ save: cancelled }))).toEqual({ outcome: 'CANCELLED' });
    expect(workflow.calls()).toEqual(['midland GET /patrons']);
  });

  test('before the checkout sends none, and says that the copy is there', async () => {
    const workflow = await open();

    expect(endOfRun(await workflow.run({ saveWanted: cancelled }))).toMatchObject({
      outcome: 'CANCELLED',
      homes: ['midland'],
      patronId: workflow.copy()?.patron_id,
      checkout: { result: 'NOT_ASKED', keys: [] },
      disclosed: { home: 'midland', fields: expect.arrayContaining(['surname']) },
    });
    expect(workflow.calls()).toEqual(['midland GET /patrons', 'riverside POST /patrons']);
    expect(workflow.audited).toEqual(['looked up', 'copy: COPIED']);
  });

  test('before a checkout that was to be confirmed confirms nothing', async () => {
    const workflow = await open({
      entry: { retry: { confirm: ['RENTALCHARGE'] } },
      riverside: { settings: { RentalFeesCheckoutConfirmation: '1' } },
    });
    workflow.riverside.putItem(ITEM, { rental_charge: 2 });
    let notes = 0;
    const saveWanted = () => ((notes += 1) === 1 ? Promise.resolve() : cancelled());

    expect(endOfRun(await workflow.run({ saveWanted }))).toMatchObject({ outcome: 'CANCELLED' });
    expect(workflow.riverside.state().checkouts).toEqual([]);
    expect(workflow.calls().filter((call) => call === 'riverside POST /checkouts')).toHaveLength(1);
  });

  test('between two tries of a create tries no more, and says that the copy may be there', async () => {
    const workflow = await open();
    const body = { error: 'x', error_code: 'internal_server_error' };
    workflow.riverside.addFaults([{ operation: 'POST /patrons', kind: 'status', status: 500, body }]);

    expect(endOfRun(await workflow.run({ saveWanted: cancelled }))).toMatchObject({
      outcome: 'CANCELLED',
      homes: ['midland'],
    });
    expect(workflow.calls().filter((call) => call === 'riverside POST /patrons')).toHaveLength(1);
    expect(workflow.copy()).toBeUndefined();
  });

  test('before a copy gets its new card leaves it as it is', async () => {
    const workflow = await open();
    workflow.riverside.putPatron('OLD-1', {
      ...PATRON,
      category_id: 'PT',
      extended_attributes: [
        { type: 'PASSPORTED', value: 'midland' },
        { type: 'PASSPORTED_ID', value: `midland:${workflow.midland.state(CARD).patrons[0]?.patron_id}` },
      ],
    });

    expect(endOfRun(await workflow.run({ saveWanted: cancelled }))).toMatchObject({ outcome: 'CANCELLED' });
    expect(workflow.copy('OLD-1')).toBeDefined();
    expect(workflow.copy(CARD)).toBeUndefined();
  });

  test('after a copy was sent looks for it, and for the checkout, before it says what is there', async () => {
    const workflow = await open();
    await workflow.run({ item: null });
    const ended = await workflow.run({
      isCancelled: true,
      starts: 2,
      job: { sent: SENT },
      save: cancelled,
      saveWanted: cancelled,
    });

    expect(endOfRun(ended)).toMatchObject({ outcome: 'CANCELLED', patronId: workflow.copy()?.patron_id });
    expect(workflow.riverside.state().checkouts).toEqual([]);
  });

  test('after a checkout that may be on its way to a patron who was here looks for it first', async () => {
    const workflow = await open();
    const { patronId = 0 } = endOfRun(await workflow.run());
    workflow.riverside.clearCalls();
    const made = { outcome: 'ALREADY_LOCAL' as const, reasons: [], home: 'midland', home_key: 'midland:2' };
    const job = { sent: null, made: { ...made, patron_id: patronId, disclosed: null } };
    const ended = await workflow.run({ isCancelled: true, starts: 2, job, saveWanted: cancelled });
    expect(endOfRun(ended).checkout?.result).toBe('ALREADY_CHECKED_OUT');
  });

  test('after the item was checked out, by a run that died, says that it is', async () => {
    const workflow = await open();
    const { patronId } = endOfRun(await workflow.run());
    const ended = await workflow.run({
      isCancelled: true,
      starts: 2,
      job: {
        sent: SENT,
        made: {
          outcome: 'COPIED',
          reasons: [],
          home: 'midland',
          home_key: 'midland:2',
          patron_id: patronId ?? 0,
          disclosed: ['surname'],
        },
      },
      saveWanted: cancelled,
    });

    expect(endOfRun(ended)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'ALREADY_CHECKED_OUT' },
    });
  });
});

describe('a result that meets a cancel when it is written', () => {
  const open = async (plan: WorkflowPlan = {}) => own(await openWorkflow(plan));

  test('is a wait: it ends, and nothing was written', async () => {
    const workflow = await open();
    workflow.midland.addFaults([{ operation: 'GET /patrons', kind: 'reset_before', times: 9 }]);
    const { ifCancelled } = waitOf(await workflow.run());

    expect(ifCancelled?.()).toMatchObject({
      outcome: 'CANCELLED',
      job: { encrypted_card: null, progress: { state: 'done', outcome: 'CANCELLED', homes: [] } },
    });
  });

  test('is a failure: it is none, and nobody can retry it', async () => {
    const workflow = await open();
    workflow.midland.putSettings({ permissions: [] });
    const ended = await workflow.run();

    expect(ended).toMatchObject({ outcome: 'MISCONFIGURED' });
    expect('ifCancelled' in ended && ended.ifCancelled?.()).toMatchObject({
      job: { encrypted_card: null, progress: { state: 'done', outcome: 'CANCELLED', problem: null } },
    });
  });

  test('is a copy without a checkout: it is cancelled, with its patron', async () => {
    const workflow = await open();
    const ended = await workflow.run({ item: null });

    expect('ifCancelled' in ended && ended.ifCancelled?.()).toMatchObject({
      job: {
        progress: { outcome: 'CANCELLED', patron_id: workflow.copy()?.patron_id, homes: [{ id: 'midland' }] },
      },
    });
  });

  test.each([
    ['a checkout', CARD, []],
    ['a card that nobody knows', '21234000000999', []],
    [
      'a checkout whose answer was lost, which must be looked for',
      CARD,
      [
        { operation: 'POST /checkouts', kind: 'hang', after: true },
        { operation: 'GET /items', kind: 'reset_before', times: 9 },
      ],
    ],
  ] as const)('stands where it is %s', async (_name, card, faults) => {
    const workflow = await open();
    workflow.riverside.addFaults([...faults]);

    expect(await workflow.run({ card })).toMatchObject({ ifCancelled: null });
  });
});

describe('a run that was to look for a checkout, and meets a cancel', () => {
  const MADE = { outcome: 'COPIED' as const, reasons: [], home: 'midland', home_key: 'midland:2' };
  /** The checkout was made, and its answer lost; the next run, before which `trouble` comes. */
  async function runAfter(trouble: (workflow: WorkflowBench) => void) {
    const workflow = own(await openWorkflow());
    const { patronId = 0 } = endOfRun(await workflow.run());
    const made = { ...MADE, patron_id: patronId, disclosed: SENT.fields, look_from_ms: 1 };
    const job = { sent: SENT, made };
    trouble(workflow);
    return { workflow, job, result: await workflow.run({ starts: 2, job }) };
  }

  test('says nothing of it where Koha is silent, and the next one does', async () => {
    const { workflow, job, result } = await runAfter(({ riverside }) =>
      riverside.addFaults([{ operation: 'GET /items', kind: 'reset_before', times: 3 }]),
    );
    expect(waitOf(result).ifCancelled).toBeNull();

    workflow.riverside.clearFaults();
    const later = { isCancelled: true, starts: 3, job, saveWanted: cancelled };
    expect(endOfRun(await workflow.run(later))).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'ALREADY_CHECKED_OUT' },
    });
  });

  test('says nothing of it where Koha refuses the look, and stays a failure', async () => {
    const { result } = await runAfter(({ riverside }) => riverside.putSettings({ permissions: [] }));

    expect(result).toMatchObject({ outcome: 'MISCONFIGURED', ifCancelled: null });
  });

  test('is cancelled where the look finds no checkout', async () => {
    const { workflow, job } = await runAfter(() => undefined);
    const later = { starts: 3, job, item: '31000000009999', saveWanted: cancelled };
    workflow.riverside.putItem(later.item, { item_type_id: 'BK' });

    expect(endOfRun(await workflow.run(later))).toMatchObject({
      outcome: 'CANCELLED',
      checkout: { result: 'NOT_ASKED' },
    });
  });
});

describe('an event that is cancelled in the queue', () => {
  let bench: WorkerBench;
  let cancel: (eventId: string) => Promise<Cancelled>;
  const open = async (plan?: WorkerPlan) => {
    bench = await openWorkers(plan);
    own({ stop: () => bench.close() });
    const log = createLogger({ name: 'test', level: 'fatal' });
    const redis = createRedis(bench.redis.url, { role: 'producer', log, name: 'receiver' });
    own({ stop: () => closeRedis(redis) });
    await untilRedisReady(redis, 2_000);
    cancel = (eventId) => cancelEvent(redis, bench.queue, 'riverside', eventId);
    return bench;
  };
  const noted = (eventId: string, what: 'sent' | 'made') =>
    waitFor(`${what} to be noted`, async () => (await bench.job(eventId))?.data[what]);
  const reported = (eventId: string) =>
    waitFor('its desk to be notified', () =>
      bench.riverside.state().outcomes.find(({ event_id: id }) => id === eventId),
    );

  test('before a worker takes it ends without a query, and its desk is notified', async () => {
    const { startWorker, accept, follow } = await open();
    const eventId = await accept();
    expect(await cancel(eventId)).toMatchObject({ result: 'NOTHING_WRITTEN' });
    await startWorker();

    expect(await follow(eventId)).toMatchObject({ state: 'done', outcome: 'CANCELLED', patron_id: null });
    expect(await reported(eventId)).toMatchObject({ outcome: 'CANCELLED' });
    expect(bench.midland.calls()).toEqual([]);
  });

  test('while its home is queried is not copied', async () => {
    const { startWorker, accept, follow, midland, riverside } = await open();
    midland.addFaults([{ operation: 'GET /patrons', kind: 'delay', ms: 400 }]);
    await startWorker();
    const eventId = await accept();
    await waitFor('the work to begin', async () => (await bench.job(eventId))?.processedOn);
    expect(await cancel(eventId)).toMatchObject({ result: 'NOTHING_WRITTEN' });

    expect(await follow(eventId)).toMatchObject({ outcome: 'CANCELLED', homes: [], patron_id: null });
    expect(riverside.state(CARD).patrons).toEqual([]);
  });

  test('while it waits for its home ends at once', async () => {
    const { startWorker, accept, follow, midland } = await open();
    midland.addFaults([{ operation: '*', kind: 'reset_before', times: 1_000 }]);
    await startWorker();
    const eventId = await accept();
    const waits = await follow(eventId, ({ attempt, state }) => state === 'waiting' && attempt > 2);
    expect(await cancel(eventId)).toMatchObject({ result: 'NOTHING_WRITTEN' });

    expect(await follow(eventId)).toMatchObject({ outcome: 'CANCELLED', attempt: waits.attempt + 1 });
  });

  test('while the copy is made is copied, and nothing is checked out', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    riverside.addFaults([{ operation: 'POST /patrons', kind: 'delay', ms: 400 }]);
    await startWorker();
    const eventId = await accept();
    await noted(eventId, 'sent');
    expect(await cancel(eventId)).toMatchObject({ result: 'CHECKOUT_STOPPED' });

    const state = await follow(eventId);
    expect(state).toMatchObject({
      outcome: 'CANCELLED',
      homes: [{ id: 'midland' }],
      patron_id: riverside.state(CARD).patrons[0]?.patron_id,
      checkout: { result: 'NOT_ASKED' },
    });
    expect(await reported(eventId)).toMatchObject({ outcome: 'CANCELLED', seq: state.seq });
    expect(riverside.state().checkouts).toEqual([]);
  });

  test('while a run that was cut off has a checkout on its way is not looked at before that has arrived', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    riverside.addFaults([{ operation: 'POST /checkouts', kind: 'delay', ms: 800 }]);
    const first = await startWorker({ graceMs: 0 });
    const eventId = await accept();
    await waitFor('the checkout to be sent', () =>
      riverside.calls().some(({ operation }) => operation === 'POST /checkouts'),
    );
    await first.stop();
    await startWorker();
    expect(await cancel(eventId)).toMatchObject({ result: 'PENDING' });

    expect(await follow(eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'ALREADY_CHECKED_OUT' },
    });
    expect(riverside.calls().filter(({ operation }) => operation === 'POST /checkouts')).toHaveLength(1);
  });

  test('while a checkout whose answer was lost may be on its way is not looked at too early either', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    riverside.addFaults([{ operation: 'POST /checkouts', kind: 'delay', ms: 1_600 }]);
    await startWorker();
    const eventId = await accept();
    await follow(eventId, ({ state }) => state === 'waiting');
    expect(await cancel(eventId)).toMatchObject({ result: 'PENDING' });

    expect(await follow(eventId)).toMatchObject({
      outcome: 'COPIED',
      checkout: { result: 'ALREADY_CHECKED_OUT' },
    });
    expect(riverside.calls().filter(({ operation }) => operation === 'POST /checkouts')).toHaveLength(1);
  });

  test('while the item is checked out says, in the end, that it is', async () => {
    const { startWorker, accept, follow, riverside } = await open();
    riverside.addFaults([{ operation: 'POST /checkouts', kind: 'delay', ms: 400 }]);
    await startWorker();
    const eventId = await accept();
    await noted(eventId, 'made');
    expect(await cancel(eventId)).toMatchObject({ result: 'PENDING' });

    expect(await follow(eventId)).toMatchObject({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT' } });
    expect(riverside.state().checkouts).toHaveLength(1);
    expect(await cancel(eventId)).toMatchObject({ result: 'ENDED' });
  });
});
