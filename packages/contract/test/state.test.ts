import { describe, expect, test } from '@jest/globals';
import {
  type JobData,
  type Progress,
  eventStateOf,
  eventStateSchema,
  nextProgress,
  parseJob,
  queuedProgress,
} from '@passport/contract';

const NOW = '2026-11-25T09:00:01.000Z';
const nameOf = (id: string): string =>
  ({ midland: 'Midland Public Library', riverside: 'Riverside' })[id] ?? id;

const job = (change: Partial<Progress> = {}): JobData => ({
  v: 1,
  event_id: 'evt_1',
  library: 'riverside',
  branch: 'MAIN',
  interface: 'staff',
  operator: null,
  scanned_at: '2026-11-25T09:00:00.000+00:00',
  received_ms: 1795597200000,
  age_at_delivery_ms: 0,
  sealed_card: 'sealed',
  sealed_item: null,
  item_asked: false,
  card_hash: 'k1:abc',
  retried: null,
  sent: null,
  made: null,
  progress: { ...queuedProgress(NOW), ...change },
});

describe('the state of an event', () => {
  test('a copy reads as in the contract', () => {
    const progress = nextProgress(
      queuedProgress(NOW),
      {
        state: 'done',
        outcome: 'COPIED',
        homes: [{ id: 'midland', name: 'Midland Public Library' }],
        patron_id: 812,
        checkout: { result: 'CHECKED_OUT', keys: [] },
        attempt: 1,
      },
      NOW,
    );
    expect(eventStateOf(job(progress), false, nameOf)).toEqual({
      event_id: 'evt_1',
      library: 'riverside',
      seq: 3,
      state: 'done',
      outcome: 'COPIED',
      reasons: [],
      homes: [{ id: 'midland', name: 'Midland Public Library' }],
      patron_id: 812,
      checkout: { result: 'CHECKED_OUT', keys: [] },
      waiting_for: null,
      problem: null,
      attempt: 1,
      message: 'Found at Midland Public Library. You can check out now.',
      scanned_at: '2026-11-25T09:00:00.000+00:00',
      updated_at: NOW,
    });
  });

  test('its number grows from queued to working to waiting to working to done', () => {
    const queued = job();
    const waiting = job(
      nextProgress(
        queued.progress,
        { state: 'waiting', waiting_for: { library: 'midland', reason: 'NO_ANSWER', next_try_at: NOW } },
        NOW,
      ),
    );
    const done = job(nextProgress(waiting.progress, { state: 'done', outcome: 'NOT_FOUND' }, NOW));
    const reported = [
      eventStateOf(queued, false, nameOf),
      eventStateOf(queued, true, nameOf),
      eventStateOf(waiting, false, nameOf),
      eventStateOf(waiting, true, nameOf),
      eventStateOf(done, true, nameOf),
    ];
    expect(reported.map(({ seq, state }) => [seq, state])).toEqual([
      [1, 'queued'],
      [2, 'working'],
      [3, 'waiting'],
      [4, 'working'],
      [5, 'done'],
    ]);
    expect(reported[2]?.message).toBe('Midland Public Library has not answered yet. Still trying.');
    for (const state of reported) expect(eventStateSchema.parse(state)).toEqual(state);
  });

  test.each([
    [
      'NOT_ELIGIBLE',
      { reasons: ['EXPIRED', 'CARD_LOST'] },
      'Found at Midland Public Library, but: the membership has expired; the card is reported lost.',
    ],
    ['NOT_ELIGIBLE', {}, 'Found at Midland Public Library, but not eligible to borrow here.'],
    ['HOME_GONE', {}, "Midland Public Library no longer keeps this patron's record."],
    ['MERGED_INTO_NATIVE', {}, 'The copy of this patron was merged into a patron of this library.'],
    ['COPY_ANONYMIZED', {}, 'The copy of this patron was anonymised here.'],
    [
      'OBSERVED',
      { observed: { category: 'PT' } },
      'Found at Midland Public Library. The service only observes here: the patron would have been copied as PT. Register by hand.',
    ],
    [
      'OBSERVED',
      { observed: { category: null } },
      'Found at Midland Public Library. The service only observes here: the copy that is here would have been updated. Register by hand.',
    ],
    ['CANCELLED', { homes: [] }, 'Cancelled: nothing was written.'],
    ['CANCELLED', { patron_id: 812 }, 'Cancelled. The copy was already made; nothing was checked out.'],
    ['CANCELLED', {}, 'Cancelled. The copy was on its way and may have been made; nothing was checked out.'],
    ['LENDING_REFUSED', {}, 'Riverside could not store this patron. Register by hand.'],
    ['HOME_UNREACHABLE', {}, 'Midland Public Library did not answer. Try again later, or register by hand.'],
    [
      'MISCONFIGURED',
      { problem: { library: 'midland', what: 'credentials', name: null } },
      'The passport service is not set up correctly for Midland Public Library.',
    ],
  ] as const)('%s %j is told in English', (outcome, change, message) => {
    const progress = {
      outcome,
      state: 'done',
      homes: [{ id: 'midland', name: 'Midland Public Library' }],
      ...change,
    } as Partial<Progress>;
    expect(eventStateOf(job(progress), false, nameOf).message).toBe(message);
  });
});

describe('a job payload', () => {
  test('comes back as it was written', () => {
    expect(parseJob(JSON.parse(JSON.stringify(job())))).toEqual({ kind: 'job', job: job() });
  });
  test('of a version that never was is unreadable, and the field is named', () => {
    expect(parseJob({ ...job(), v: 0 })).toEqual({ kind: 'unreadable', fields: ['v'] });
  });
  test('that is no object is unreadable', () => {
    expect(parseJob('x')).toEqual({ kind: 'unreadable', fields: ['(whole)'] });
  });
});
