import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { idempotencyKey } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import type { ScanJobs } from '@passport/queue/scans';
import { buildPersonActions } from '../src/shell/person-actions.ts';
import { type DashboardFixture, injectOnce, openDashboardFixture } from './dashboard-fixture.ts';

let fixture: DashboardFixture;
beforeAll(async () => {
  fixture = await openDashboardFixture();
});
afterEach(() => fixture.clear());
afterAll(() => fixture.close());

const WAITING_FOR = {
  library: 'midland',
  reason: 'CIRCUIT_OPEN',
  next_try_at: '2026-11-25T10:00:00Z',
} as const;
const PROBLEM = { library: 'midland', what: 'credentials', name: null } as const;
const put = {
  failed: () => fixture.put({ state: 'failed', outcome: 'MISCONFIGURED', problem: PROBLEM }),
  waiting: () => fixture.put({ state: 'waiting', waiting_for: WAITING_FOR }),
  done: () =>
    fixture.put({ state: 'done', outcome: 'COPIED' }, { encrypted_card: null, encrypted_item: null }),
  cardGone: () => fixture.put({ state: 'failed', outcome: 'TOO_LATE' }, { encrypted_card: null }),
};
const jobOf = (id: string) => fixture.queue.getJob(`riverside.${id}`);
const stateOf = async (id: string) => (await jobOf(id))?.getState();
const audit = () =>
  fixture
    .lines()
    .filter((line) => line['audit'] === true)
    .map(({ action, by, event, lending, result, time }) => ({ action, by, event, lending, result, time }));

/** The two ways that a person has. */
const ways = {
  page: (id: string, action: string) =>
    fixture.request({ method: 'POST', url: `/events/riverside/${id}/${action}` }),
  board: (id: string, action: string) =>
    fixture.request({ method: 'PUT', url: `/board/api/queues/scans/riverside.${id}/${action}` }),
};

describe.each(['page', 'board'] as const)('on the %s', (way) => {
  const press = ways[way];
  const discard = way === 'page' ? 'discard' : 'clean';
  const done = way === 'page' ? 303 : 204;

  test('retry starts a failed event anew, and says who did it', async () => {
    const id = await put.failed();
    expect((await press(id, 'retry')).statusCode).toBe(done);
    const job = await jobOf(id);
    expect(await job?.getState()).toBe('prioritized');
    expect(job?.data).toMatchObject({
      retried: { stalled: 0 },
      progress: { state: 'queued', outcome: null, attempt: 0 },
    });
    expect(job?.attemptsMade).toBe(0);
    expect(audit()).toEqual([
      {
        action: 'retry',
        by: 'olga',
        event: id,
        lending: 'riverside',
        result: 'done',
        time: expect.any(String),
      },
    ]);
  });

  test('retry after success does nothing, and the audit says so', async () => {
    const id = await put.done();
    const answer = await press(id, 'retry');
    expect(answer.statusCode).toBe(way === 'page' ? 303 : 400);
    expect(await stateOf(id)).toBe('completed');
    expect(audit()).toEqual([expect.objectContaining({ action: 'retry', result: 'not_now' })]);
  });

  test('retry of an event whose card is gone does nothing', async () => {
    const id = await put.cardGone();
    await press(id, 'retry');
    expect(await stateOf(id)).toBe('failed');
    expect(audit()).toEqual([expect.objectContaining({ result: 'unreadable' })]);
  });

  test('promote lets a waiting event be tried at once', async () => {
    const id = await put.waiting();
    expect((await press(id, 'promote')).statusCode).toBe(done);
    expect(await stateOf(id)).toBe('prioritized');
    expect(audit()).toEqual([
      expect.objectContaining({ action: 'promote', by: 'olga', event: id, result: 'done' }),
    ]);
  });

  test('promote of an event that does not wait does nothing', async () => {
    const id = await put.failed();
    await press(id, 'promote');
    expect(await stateOf(id)).toBe('failed');
  });

  test('discard removes a failed event for good', async () => {
    const id = await put.failed();
    expect((await press(id, discard)).statusCode).toBe(done);
    expect(await jobOf(id)).toBeUndefined();
    expect(audit()).toEqual([
      expect.objectContaining({ action: 'discard', by: 'olga', event: id, result: 'done' }),
    ]);
  });

  test('discard leaves an event to the worker that has it, also one whose lock has gone', async () => {
    const id = await put.waiting();
    await fixture.redis.zrem('{passport}:scans:delayed', `riverside.${id}`);
    await fixture.redis.lpush('{passport}:scans:active', `riverside.${id}`);
    await press(id, discard);
    expect(await stateOf(id)).toBe('active');
    expect(audit()).toEqual([expect.objectContaining({ action: 'discard', result: 'not_now' })]);
  });

  test('an event that nobody knows is 404, and no line of the audit: guesses would push out what was done', async () => {
    for (const action of ['retry', 'promote', discard, discard, 'retry'])
      for (const guessed of ['evt_unknown', 'evt_unknown2']) {
        const answer = await press(guessed, action);
        expect(answer.statusCode).toBe(404);
        if (way === 'page') expect(answer.body).toContain('Nothing is known of this event');
      }
    const id = await put.failed();
    await press(id, discard);
    expect((await press(id, discard)).statusCode).toBe(404);
    expect(audit()).toEqual([expect.objectContaining({ action: 'discard', event: id, result: 'done' })]);
  });
});

test('two people who retry at the same moment start it once', async () => {
  const id = await put.failed();
  await Promise.all([ways.page(id, 'retry'), ways.board(id, 'retry')]);
  expect(new Set(audit().map(({ result }) => result))).toEqual(new Set(['done', 'not_now']));
});

describe('a discard whose second half fails', () => {
  const broken = () => {
    const { queue, redis, now, log } = fixture;
    const strikeOut = () => Promise.reject(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
    const ledger = { ...openLedger(redis), strikeOut };
    return fixture.build({ actions: buildPersonActions({ queue, ledger, now, log }) });
  };

  test('says that the event is gone and what is left to do, and the second try does that', async () => {
    const id = await put.failed();
    await fixture.redis.set(idempotencyKey('riverside', id), 'hash - 1');

    const first = await injectOnce(broken(), { method: 'POST', url: `/events/riverside/${id}/discard` });
    const page = await fixture.request({ url: String(first.headers.location) });
    expect(await jobOf(id)).toBeUndefined();
    expect(page.body).not.toContain('Nothing was done');
    expect(page.body).toContain('It was discarded, but Redis failed while that was noted');
    expect(page.body).toContain(`action="/events/riverside/${id}/discard"`);

    const second = await ways.page(id, 'discard');
    const after = await fixture.request({ url: String(second.headers.location) });
    expect(after.body).toContain('It is gone, and sent again it is not taken as new.');
    expect(await fixture.redis.get(idempotencyKey('riverside', id))).toMatch(/ d/);
    expect(audit().map(({ result }) => result)).toEqual(['half_done', 'closed']);
  });

  test('is an error on the board', async () => {
    const id = await put.failed();
    const url = `/board/api/queues/scans/riverside.${id}/clean`;
    expect((await injectOnce(broken(), { method: 'PUT', url })).statusCode).toBe(503);
  });
});

test('an action that Redis does not carry out is in the audit, too', async () => {
  const { queue, redis, now, log } = fixture;
  const reopen = () => Promise.reject(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
  const actions = buildPersonActions({ queue, ledger: { ...openLedger(redis), reopen }, now, log });
  const id = await put.failed();

  const answer = await injectOnce(fixture.build({ actions }), {
    method: 'POST',
    url: `/events/riverside/${id}/retry`,
  });

  expect(answer.statusCode).toBe(503);
  expect(audit()).toEqual([expect.objectContaining({ action: 'retry', event: id, result: 'not_known' })]);
});

test('an act that Redis cannot even look for is no line of the audit', async () => {
  const { redis, now, log } = fixture;
  const getJob = () => Promise.reject(Object.assign(new Error('read'), { code: 'ECONNRESET' }));
  const queue = Object.assign(Object.create(fixture.queue) as ScanJobs, { getJob });
  const app = fixture.build({ actions: buildPersonActions({ queue, ledger: openLedger(redis), now, log }) });

  const answer = await injectOnce(app, { method: 'POST', url: '/events/riverside/evt_guess/discard' });

  expect([answer.statusCode, audit()]).toEqual([503, []]);
});

describe('when the queue stops answering half-way', () => {
  test.each([
    ['an event page', 'GET', '/events/riverside/evt_1'],
    ['the list', 'GET', '/events'],
    ['an action', 'POST', '/events/riverside/evt_1/retry'],
    ['the board', 'GET', '/board/api/queues/scans/riverside.evt_1'],
  ] as const)('%s says so in time', async (_what, method, url) => {
    const app = fixture.build({ answerWithinMs: 100 });
    fixture.server.freeze();
    try {
      const answer = await injectOnce(app, { method, url });

      expect(answer.statusCode).toBe(503);
      if (!url.startsWith('/board')) expect(answer.body).toContain('The queue does not answer');
    } finally {
      fixture.server.thaw();
    }
  });
});

test('after a retry the event page says what happens now', async () => {
  const id = await put.failed();
  const location = (await ways.page(id, 'retry')).headers.location ?? '';
  const page = await fixture.request({ url: location });
  expect(page.body).toContain('It is being tried again, as if it were new.');
  expect(page.body).toContain('Waiting in the queue.');
});

describe('Bull Board cannot', () => {
  test.each([
    ['retry all', 'PUT', '/board/api/queues/scans/retry/failed'],
    ['retry all completed', 'PUT', '/board/api/queues/scans/retry/completed'],
    ['promote all', 'PUT', '/board/api/queues/scans/promote'],
    ['clean all', 'PUT', '/board/api/queues/scans/clean/failed'],
    ['pause', 'PUT', '/board/api/queues/scans/pause'],
    ['pause everything', 'PUT', '/board/api/queues/pause'],
    ['empty', 'PUT', '/board/api/queues/scans/empty'],
    ['obliterate', 'PUT', '/board/api/queues/scans/obliterate'],
    ['limit', 'PUT', '/board/api/queues/scans/concurrency'],
    ['add', 'POST', '/board/api/queues/scans/add'],
    ['edit data', 'PATCH', '/board/api/queues/scans/riverside.evt_x/update-data'],
    ['reschedule', 'PATCH', '/board/api/queues/scans/riverside.evt_x/delay'],
    ['reprioritize', 'PATCH', '/board/api/queues/scans/riverside.evt_x/priority'],
    ['retry in another queue', 'PUT', '/board/api/queues/reports/riverside.evt_x/retry'],
  ] as const)('%s', async (_what, method, url) => {
    const [failed, waiting] = [await put.failed(), await put.waiting()];
    const answer = await fixture.request({ method, url, payload: { name: 'x', data: {}, concurrency: 1 } });
    expect(answer.statusCode).toBe(403);
    expect([await stateOf(failed), await stateOf(waiting)]).toEqual(['failed', 'delayed']);
    expect(await fixture.queue.isPaused()).toBe(false);
    expect(await fixture.queue.getJobCounts('prioritized', 'wait', 'active')).toEqual({
      prioritized: 0,
      wait: 0,
      active: 0,
    });
  });
});
