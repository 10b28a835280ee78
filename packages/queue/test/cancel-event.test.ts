import { describe, expect, test } from '@jest/globals';
import { retryByPerson } from '@passport/queue/events';
import { jobIdOf } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { buildClaimCreate } from '@passport/queue/locks';
import { addScans, buildJobDataWriter, cancelEvent, delayActive, wasCancelled } from '@passport/queue/scans';
import { NOON, entered, event, jobData, openAdmission, useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const JOB_ID = jobIdOf('riverside', 'evt_1');
const SENT = { home: 'midland', home_key: 'midland:812', fields: ['surname'] };
const MADE = {
  outcome: 'COPIED',
  reasons: [],
  home: 'midland',
  home_key: 'midland:812',
  patron_id: 7,
  disclosed: ['surname'],
} as const;
const SEARCHED = { ...SENT, create: false };
const sent = jobData({ sent: SENT });
const there = { ...MADE, reasons: [], disclosed: ['surname'] };
const made = jobData({ sent: SENT, made: { ...there, look_from_ms: 5 } });
const ended = (outcome: 'COPIED' | 'CANCELLED' | 'MISCONFIGURED', change = {}) => {
  const { progress, ...job } = jobData(change);
  return { ...job, progress: { ...progress, seq: 3, state: 'done' as const, outcome } };
};

const cancel = (eventId = 'evt_1', library = 'riverside') =>
  cancelEvent(fixture.redis, fixture.queue, library, eventId);
const add = (job = jobData()) => addScans(fixture.queue, [{ job, priority: 1 }]);
const retry = () => retryByPerson(fixture.queue, openLedger(fixture.redis), JOB_ID, NOON);
const stateOf = async () => (await fixture.queue.getJob(JOB_ID))?.getState();

/** The token of the lock of an active job with these data. */
async function take(job = jobData()): Promise<string> {
  await add(job);
  await fixture.mover.take();
  return String(await fixture.server.call('GET', `{passport}:scans:${JOB_ID}:lock`));
}

const claim = (token: string) =>
  buildClaimCreate(fixture.redis)(
    { id: JOB_ID, token, data: sent },
    {
      library: 'riverside',
      owner: { event: JOB_ID, run: 'run-1', sinceMs: 5 },
      placeLifeMs: 10_000,
      unlessCopyOf: null,
      patronLock: { name: 'riverside:midland:812', run: 'lock-1', lifeMs: 10_000 },
    },
  );

describe('what a cancel comes to', () => {
  test.each([
    ['NOTHING_WRITTEN', 'nothing was sent', jobData()],
    ['NOTHING_WRITTEN', 'a possible duplicate was searched for', jobData({ sent: SEARCHED })],
    ['CHECKOUT_STOPPED', 'a copy was sent', sent],
    ['CHECKOUT_STOPPED', 'one was sent before', jobData({ sent: SEARCHED, sent_before: [SENT] })],
    ['CHECKOUT_STOPPED', 'a copy is there, and no checkout was sent', jobData({ made: there })],
    ['PENDING', 'a checkout may be on its way', made],
    [
      'PENDING',
      'a newer version has it',
      { ...jobData({ retried: { at_ms: 1, stalled: 0 } }), v: 3 } as never,
    ],
    ['ENDED', 'it has ended', ended('COPIED')],
  ] as const)('%s where %s, however often', async (result, _name, job) => {
    await take(job);

    expect(await cancel()).toEqual({ result, eventId: 'evt_1' });
    expect(await cancel()).toEqual({ result, eventId: 'evt_1' });
  });

  test.each([
    ['NOTHING_WRITTEN', 'nothing', null],
    ['NOTHING_WRITTEN', 'a search', SEARCHED],
    ['CHECKOUT_STOPPED', 'the copy', SENT],
  ] as const)('%s again after the end that it led to, where %s was sent', async (result, _name, was) => {
    await add(ended('CANCELLED', { sent: was }));

    expect(await cancel()).toEqual({ result, eventId: 'evt_1' });
  });

  test('nothing of an event that nobody knows, of another library, or whose job cannot be read', async () => {
    await add();
    await fixture.queue.add('riverside', 'no object' as never, { jobId: jobIdOf('riverside', 'evt_2') });

    expect(await cancel('evt_none')).toBe('ahead');
    expect(await cancel('evt_1', 'lakeside')).toBe('ahead');
    expect(await cancel('evt_2')).toBeNull();
    expect(wasCancelled((await fixture.queue.getJob(JOB_ID)) ?? { progress: null })).toBe(false);
  });

  test('not yet what is admitted and not in the queue, nor a double scan of it', async () => {
    const admit = openAdmission(fixture);
    entered(await admit(event(1)));
    entered(await admit(event(2, { scanHash: event(1).scanHash })));

    expect(await cancel('evt_1')).toBe('not_added');
    expect(await cancel('evt_2')).toBe('not_added');
    await add();
    expect(await cancel('evt_2')).toEqual({ result: 'NOTHING_WRITTEN', eventId: 'evt_1' });
  });

  test('nothing of what has ended and is kept no longer, nor of a double scan of it', async () => {
    const admit = openAdmission(fixture);
    entered(await admit(event(1)));
    entered(await admit(event(2, { scanHash: event(1).scanHash })));
    await openLedger(fixture.redis).settle('riverside', 'evt_1', 'COPIED', new Date(NOON).toISOString(), {
      used: 'copies',
    });

    expect(await cancel('evt_1')).toBeNull();
    expect(await cancel('evt_2')).toBeNull();
  });

  test('a double scan cancels the first event', async () => {
    const admit = openAdmission(fixture);
    const { eventId } = entered(await admit(event(1)));
    await add();
    entered(await admit(event(2, { scanHash: event(1).scanHash })));

    expect(await cancel('evt_2')).toEqual({ result: 'NOTHING_WRITTEN', eventId });
  });
});

describe('a cancelled event', () => {
  test('claims nothing, and stands in no line', async () => {
    const token = await take();
    await cancel();

    expect(await claim(token)).toBe('cancelled');
    expect((await fixture.queue.getJob(JOB_ID))?.data.sent ?? null).toBeNull();
    expect(
      await fixture.redis.exists(
        '{passport}:create:riverside',
        '{passport}:create:riverside:line',
        '{passport}:patron-lock:riverside:midland:812',
      ),
    ).toBe(0);
  });

  test('gets no data that only a wanted one gets, and keeps its mark with all others', async () => {
    const token = await take();
    const { writeWanted, writeActive } = buildJobDataWriter(fixture.redis);
    expect(await writeWanted(JOB_ID, token, sent)).toBe('written');
    await cancel();

    expect(await writeWanted(JOB_ID, token, made)).toBe('cancelled');
    expect(await writeActive(JOB_ID, token, sent)).toBe(true);
    expect(await writeWanted(JOB_ID, token, made)).toBe('cancelled');
    expect(await writeWanted(JOB_ID, 'another token', made)).toBe('lost');
    expect((await fixture.queue.getJob(JOB_ID))?.data.made).toBeNull();
  });

  test('takes no second scan of its card and item with it: that is an event of its own', async () => {
    const admit = openAdmission(fixture);
    entered(await admit(event(1)));
    await add();
    await cancel();
    const again = event(2, { scanHash: event(1).scanHash });

    expect(await admit(again)).toMatchObject({ kind: 'new', eventId: 'evt_2', add: true });
    expect(await admit(event(3, { scanHash: again.scanHash }))).toMatchObject({
      kind: 'coalesced',
      eventId: 'evt_2',
    });
  });

  test('is known as one by whoever takes it', async () => {
    await add();
    expect(wasCancelled((await fixture.queue.getJob(JOB_ID)) ?? { progress: null })).toBe(false);
    await cancel();

    expect(wasCancelled(await fixture.mover.take())).toBe(true);
  });

  test('that waits for a library waits no longer', async () => {
    await add();
    await fixture.mover.delay(await fixture.mover.take(), (await fixture.redisNow()) + 60_000);
    expect(await stateOf()).toBe('delayed');
    await cancel();

    expect(await stateOf()).toBe('prioritized');
    expect(wasCancelled(await fixture.mover.take())).toBe(true);
  });

  describe('that is delayed', () => {
    const WAIT_MS = 60_000;
    /** Takes the job, does something meanwhile, and delays it; returns its state. */
    const delayed = async (meanwhile: () => Promise<unknown>): Promise<string | undefined> => {
      const job = await fixture.mover.take();
      const token = String(await fixture.server.call('GET', `{passport}:scans:${JOB_ID}:lock`));
      await meanwhile();
      await delayActive(fixture.redis, job, token, (await fixture.redisNow()) + WAIT_MS);
      return stateOf();
    };

    test('since it was taken waits no longer', async () => {
      await add();
      expect(await delayed(async () => undefined)).toBe('delayed');
      await fixture.queue.getJob(JOB_ID).then((job) => job?.promote());

      expect(await delayed(() => cancel())).toBe('prioritized');
      expect(wasCancelled(await fixture.mover.take())).toBe(true);
    });

    test('before it was taken is delayed by somebody who knows', async () => {
      await add();
      await cancel();
      expect(await delayed(async () => undefined)).toBe('delayed');
    });
  });

  test('that had failed stays cancelled when a person retries it', async () => {
    await add();
    const job = await fixture.mover.take();
    await job.updateData(ended('MISCONFIGURED'));
    await fixture.mover.fail(job);

    expect(await cancel()).toEqual({ result: 'ENDED', eventId: 'evt_1' });
    expect(await stateOf()).toBe('failed');
    expect(await retry()).toEqual({ kind: 'retried' });
    expect(wasCancelled(await fixture.mover.take())).toBe(true);
  });

  test('whose failure is written, and not moved to the failed ones yet, stays cancelled, too', async () => {
    await add();
    const job = await fixture.mover.take();
    await job.updateData(ended('MISCONFIGURED'));

    expect(await cancel()).toEqual({ result: 'ENDED', eventId: 'evt_1' });
    await fixture.mover.fail(job);
    expect(await retry()).toEqual({ kind: 'retried' });
    expect(wasCancelled(await fixture.mover.take())).toBe(true);
  });
});
