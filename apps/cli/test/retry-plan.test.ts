import { describe, expect, test } from '@jest/globals';
import { type Consortium, parseConsortium } from '@passport/config';
import type { EventState } from '@passport/contract';
import {
  type FailedEvent,
  type PersonRetry,
  applyPlan,
  isRetryWell,
  planRetry,
} from '@passport/queue/events';
import { consortiumOf } from './run-cli.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const double = {
  library: 'riverside',
  url: 'http://127.0.0.1:9',
  credentials: { clientId: 'of-riverside', clientSecret: 'a secret of riverside alone' },
};

function consortium(retry: Readonly<Record<string, unknown>> = {}): Consortium {
  const env = consortiumOf([{ ...double, change: { retry: { checkout_within: '90s', ...retry } } }]);
  return parseConsortium(env['FILE test.yaml'] ?? '', env, () => '');
}

const state = (eventId: string, change: Partial<EventState> = {}): EventState => ({
  event_id: eventId,
  library: 'riverside',
  seq: 7,
  state: 'failed',
  outcome: 'MISCONFIGURED',
  reasons: [],
  homes: [],
  patron_id: null,
  checkout: null,
  waiting_for: null,
  libraries: [],
  problem: { library: 'midland', what: 'category', name: 'PT' },
  attempt: 1,
  message: '',
  scanned_at: '2026-11-25T12:00:00+00:00',
  updated_at: '2026-11-25T12:00:00+00:00',
  ...change,
});

const failed = (eventId: string, change: Partial<FailedEvent> = {}): FailedEvent => ({
  jobId: `riverside.${eventId}`,
  state: state(eventId),
  scannedMs: NOW - 3_600_000,
  failedMs: NOW - 3_600_000,
  checkoutRequested: false,
  hasItem: false,
  hasCard: true,
  isCancelled: false,
  wasRetried: false,
  ...change,
});

describe('the plan of a bulk retry', () => {
  const plan = (events: FailedEvent[], { withLate = false, retry = {} } = {}) => {
    const planned = planRetry({ events, unreadable: 0 }, consortium(retry), { nowMs: NOW, withLate });
    return {
      events: planned.events.map(({ jobId }) => jobId.slice('riverside.'.length)),
      leftOut: planned.leftOut.map(([why]) => why),
    };
  };

  test.each<[what: string, event: Partial<FailedEvent>, isLate: boolean]>([
    ['without an item, hours later', {}, false],
    ['with an item, in time', { checkoutRequested: true, hasItem: true, scannedMs: NOW - 89_000 }, false],
    ['with an item, too late', { checkoutRequested: true, hasItem: true, scannedMs: NOW - 91_000 }, true],
    ['whose item is gone', { checkoutRequested: true, hasItem: false, scannedMs: NOW - 1_000 }, true],
  ])('T-35 an event %s', (_what, event, isLate) => {
    expect(plan([failed('evt_1', event)])).toEqual(
      isLate ? { events: [], leftOut: ['too_late'] } : { events: ['evt_1'], leftOut: [] },
    );
    expect(plan([failed('evt_1', event)], { withLate: true }).events).toEqual(['evt_1']);
  });

  test('no checkout is too late where the service makes none', () => {
    const late = failed('evt_1', { checkoutRequested: true, hasItem: true });
    expect(plan([late], { retry: { checkout: false } }).events).toEqual(['evt_1']);
  });

  test('an event without its card, or of a library that is gone, is left out', () => {
    const gone = { state: state('evt_2', { library: 'lakeside' }) };
    expect(plan([failed('evt_1', { hasCard: false }), failed('evt_2', gone)])).toEqual({
      events: [],
      leftOut: ['no_card', 'unknown_library'],
    });
  });

  test('an event that its desk has cancelled is left out, also where late ones are wanted', () => {
    const planned = plan([failed('evt_1', { isCancelled: true })], { withLate: true });
    expect(planned).toEqual({ events: [], leftOut: ['cancelled'] });
  });

  test('what a person has retried before comes last', () => {
    expect(plan([failed('evt_1', { wasRetried: true }), failed('evt_2'), failed('evt_3')]).events).toEqual([
      'evt_2',
      'evt_3',
      'evt_1',
    ]);
  });
});

describe('the plan is applied', () => {
  interface Run {
    /** What becomes of an event after it was retried, look by look; the last one stays. */
    readonly ends?: (eventId: string) => readonly (EventState['state'] | null)[];
    readonly retried?: PersonRetry;
    readonly abortAfter?: number;
  }

  async function apply(number: number, { ends = () => ['done'], retried, abortAfter }: Run = {}) {
    const aborted = new AbortController();
    const looks = new Map<string, number>();
    const order: string[] = [];
    let open = 0;
    let mostOpen = 0;
    let nowMs = 0;
    const events = Array.from({ length: number }, (_, n) => failed(`evt_${n + 1}`));
    const applied = await applyPlan(events, {
      retryOne: (event) => {
        order.push(event.state.event_id);
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        if (order.length === abortAfter) aborted.abort();
        return Promise.resolve(retried ?? { kind: 'retried' });
      },
      read: (event) => {
        nowMs += 1_000;
        const id = event.state.event_id;
        const look = looks.get(id) ?? 0;
        looks.set(id, look + 1);
        const all = ends(id);
        const now = all[Math.min(look, all.length - 1)] ?? null;
        if (now !== 'queued' && now !== 'working') open -= 1;
        return Promise.resolve(now === null ? null : state(id, { state: now }));
      },
      paceMs: 0,
      now: () => nowMs,
      pause: () => Promise.resolve(),
      isOver: () => aborted.signal.aborted,
      report: () => undefined,
    });
    return { applied, order, mostOpen };
  }

  test('in its order, and only a few are unfinished at a time', async () => {
    const { applied, order, mostOpen } = await apply(10, {
      ends: () => ['queued', 'queued', 'queued', 'working', 'working', 'done'],
    });
    expect(order).toEqual(Array.from({ length: 10 }, (_, n) => `evt_${n + 1}`));
    expect(mostOpen).toBe(4);
    expect(applied).toMatchObject({ retried: 10, ended: 10, left: 0, unfinished: 0, stopped: 'done' });
    expect(isRetryWell(applied)).toBe(true);
  });

  test.each(['failed', 'waiting'] as const)('it stops when the first ones are %s again', async (end) => {
    const { applied, order } = await apply(50, { ends: () => [end] });
    expect(order.length).toBeLessThanOrEqual(4);
    expect(applied).toMatchObject({ stopped: 'trouble', ended: 0, left: 50 - order.length });
    expect([applied.failedAgain.length, applied.waiting.length]).toContain(order.length);
  });

  test('a few that fail again among many do not stop it', async () => {
    const isBad = (id: string): boolean => Number(id.slice('evt_'.length)) % 4 === 0;
    const { applied } = await apply(40, { ends: (id) => [isBad(id) ? 'failed' : 'done'] });
    expect(applied).toMatchObject({ stopped: 'done', retried: 40, ended: 30 });
    expect(isRetryWell(applied)).toBe(false);
    expect(applied.failedAgain).toHaveLength(10);
  });

  test('it stops when nothing comes of them', async () => {
    const { applied, order } = await apply(10, { ends: () => ['queued'] });
    expect(order).toHaveLength(4);
    expect(applied).toMatchObject({ stopped: 'stalled', retried: 4, unfinished: 4, left: 6 });
  });

  test('a few that no worker takes are not done, though none is left', async () => {
    const { applied } = await apply(3, { ends: () => ['queued'] });
    expect(applied).toMatchObject({ stopped: 'stalled', retried: 3, unfinished: 3, left: 0 });
    expect(isRetryWell(applied)).toBe(false);
  });

  test('a person who ends the wait for the last ones has interrupted it', async () => {
    const { applied } = await apply(2, { ends: () => ['queued'], abortAfter: 2 });
    expect(applied).toMatchObject({ stopped: 'interrupted', unfinished: 2, left: 0 });
  });

  test.each(['unknown', 'unreadable'] as const)(
    'those that are %s by then are counted apart',
    async (kind) => {
      const { applied } = await apply(2, { retried: { kind } as PersonRetry });
      expect(applied).toMatchObject({ retried: 0, skipped: 0, missing: 2, stopped: 'done' });
      expect(isRetryWell(applied)).toBe(false);
    },
  );

  test('it stops when the person has seen enough', async () => {
    const { applied, order } = await apply(10, { abortAfter: 3 });
    expect(order).toHaveLength(3);
    expect(applied).toMatchObject({ stopped: 'interrupted', retried: 3, left: 7 });
  });

  test('what somebody else has retried meanwhile, or what is gone, counts as skipped or ended', async () => {
    const { applied } = await apply(3, { retried: { kind: 'not_failed', state: 'active', outcome: null } });
    expect(applied).toMatchObject({ retried: 0, skipped: 3, stopped: 'done' });
    expect((await apply(2, { ends: () => [null] })).applied).toMatchObject({ retried: 2, unfinished: 0 });
  });
});
