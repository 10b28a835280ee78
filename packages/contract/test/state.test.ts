import { describe, expect, test } from '@jest/globals';
import {
  type JobData,
  type Progress,
  eventStateOf,
  eventStateSchema,
  nextProgress,
  parseJob,
  queuedProgress,
  stateWithoutWorker,
} from '@passport/contract';
import { aJob } from './a-job.ts';

const NOW = '2026-11-25T09:00:01.000Z';
const nameOf = (id: string): string =>
  ({ midland: 'Midland Public Library', riverside: 'Riverside' })[id] ?? id;

const job = (change: Partial<Progress> = {}): JobData =>
  aJob({ progress: { ...queuedProgress(NOW), ...change } });

describe('the state of an event', () => {
  test('of a copy whose checkout is still to come, the message says so, whoever is waited for', () => {
    const held = { library: 'riverside', reason: 'NO_ANSWER', next_try_at: NOW } as const;
    for (const change of [{ state: 'waiting', waiting_for: held }, { state: 'queued' }] as const) {
      const { message } = eventStateOf(job({ ...change, patron_id: 812 }), false, nameOf);
      expect(message).toBe('Copied. The checkout is pending.');
    }
  });

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
      libraries: [
        { id: 'midland', name: 'Midland Public Library' },
        { id: 'riverside', name: 'Riverside' },
      ],
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
    expect(reported[2]?.message).toBe('No answer yet from Midland Public Library.');
    for (const state of reported) expect(eventStateSchema.parse(state)).toEqual(state);
  });

  test.each([
    [
      'NOT_ELIGIBLE',
      { reasons: ['EXPIRED', 'CARD_LOST'] },
      'Found at Midland Public Library, but: the card has expired and the card is reported lost.',
    ],
    ['NOT_ELIGIBLE', {}, 'Found at Midland Public Library, but not allowed to borrow here.'],
    ['HOME_GONE', {}, "Midland Public Library no longer keeps this patron's record."],
    ['MERGED_INTO_NATIVE', {}, 'The copy of this patron was merged into a patron of this library.'],
    ['COPY_ANONYMIZED', {}, 'The copy of this patron was anonymised here.'],
    [
      'OBSERVED',
      { observed: { category: 'PT' } },
      'Found at Midland Public Library. The service only observes here: it would have copied the patron as PT. Register by hand, as before.',
    ],
    [
      'OBSERVED',
      { observed: { category: null } },
      'Found at Midland Public Library. The service only observes here: it would have updated the copy that is here. Register by hand, as before.',
    ],
    ['CANCELLED', { homes: [] }, 'Cancelled: nothing was written.'],
    ['CANCELLED', { patron_id: 812 }, 'The patron is registered here; nothing was checked out.'],
    ['CANCELLED', {}, 'Nothing was checked out. The copy was already on its way.'],
    ['LENDING_REFUSED', {}, 'Riverside could not store this patron. Register by hand.'],
    ['HOME_UNREACHABLE', {}, 'Midland Public Library did not answer. Try again later, or register by hand.'],
    [
      'MISCONFIGURED',
      { problem: { library: 'midland', what: 'credentials', name: null } },
      'The passport service is not set up correctly for Midland Public Library.',
    ],
  ] as const)('%s %j is described in English', (outcome, change, message) => {
    const progress = {
      outcome,
      state: 'done',
      homes: [{ id: 'midland', name: 'Midland Public Library' }],
      ...change,
    } as Partial<Progress>;
    expect(eventStateOf(job(progress), false, nameOf).message).toBe(message);
  });
});

describe('what is said of an event', () => {
  const at = (change: Partial<Progress>): string =>
    eventStateOf(job({ state: 'done', ...change }), false, nameOf).message;

  test.each([
    ['NEEDS_CONFIRMATION', 'The item was not checked out: Koha requires a confirmation.'],
    ['BLOCKED', 'The item cannot be checked out.'],
    ['ITEM_NOT_FOUND', 'The item is not known here.'],
    ['TOO_LATE', 'The item was not checked out: too much time had passed.'],
    ['NO_ANSWER', 'The item may be checked out: Koha has not answered.'],
  ] as const)(
    'of an item that was not checked out (%s) it says that, and nothing else',
    (result, message) => {
      for (const outcome of ['COPIED', 'ALREADY_LOCAL'] as const) {
        expect(at({ outcome, checkout: { result, keys: ['DEBT'] } })).toBe(message);
      }
    },
  );

  test('each library that is waited for is named in full', () => {
    const homes = [
      { id: 'midland', name: 'Midland Public Library' },
      { id: 'lakeside', name: 'Lakeside Library' },
    ];
    const waitsFor = (library: string): string =>
      at({
        state: 'waiting',
        homes,
        waiting_for: { library, reason: 'NO_ANSWER', next_try_at: NOW },
      });
    expect(waitsFor('midland')).toBe('No answer yet from Midland Public Library and Lakeside Library.');
    expect(waitsFor('riverside')).toBe('No answer yet from Riverside.');
  });

  test('the state names each library that it mentions, once', () => {
    const state = eventStateOf(
      job({
        state: 'waiting',
        homes: [{ id: 'midland', name: 'Midland Public Library' }],
        waiting_for: { library: 'midland', reason: 'NO_ANSWER', next_try_at: NOW },
        problem: { library: 'lakeside', what: 'other', name: null },
      }),
      false,
      nameOf,
    );
    expect(state.libraries).toEqual([
      { id: 'midland', name: 'Midland Public Library' },
      { id: 'riverside', name: 'Riverside' },
      { id: 'lakeside', name: 'lakeside' },
    ]);
  });

  test.each(['queued', 'waiting'] as const)('without a worker an event that is %s says so', (stateName) => {
    const waiting_for = { library: 'midland', reason: 'NO_ANSWER', next_try_at: NOW } as const;
    const shown = stateWithoutWorker(eventStateOf(job({ state: stateName, waiting_for }), false, nameOf));
    expect(eventStateSchema.parse(shown)).toEqual(shown);
    expect(shown).toMatchObject({
      state: stateName,
      seq: 1,
      waiting_for: { library: 'riverside', reason: 'NO_WORKER', next_try_at: null },
      message: 'The passport service is stopped at the moment. It keeps this scan until it runs again.',
    });
  });

  describe('of an event that waits for the patron', () => {
    const question = {
      home: 'midland',
      home_key: 'midland:7',
      text_id: 'v1',
      texts: { en: 'May we?' },
      put_ms: 1795597200000,
      until_ms: 1795597500000,
    };
    const waiting_for = { library: 'riverside', reason: 'CONSENT', next_try_at: NOW } as const;
    const homes = [{ id: 'midland', name: 'Midland Public Library' }];
    const waiting = { ...job({ state: 'waiting', homes, waiting_for }), question };

    test('has the question, and nothing more of the patron than where they are at home', () => {
      const state = eventStateOf(waiting, false, nameOf);
      expect(eventStateSchema.parse(state)).toEqual(state);
      expect(state.consent).toEqual({
        text_id: 'v1',
        texts: { en: 'May we?' },
        answer_by: '2026-11-25T09:05:00.000Z',
      });
      expect(state.message).toBe(
        'Found at Midland Public Library. The patron must agree before anything is copied.',
      );
      expect(JSON.stringify(state)).not.toContain('midland:7');
    });

    test('has it without a worker, too: people read', () => {
      expect(stateWithoutWorker(eventStateOf(waiting, false, nameOf))).toHaveProperty('consent');
    });

    test('has it no longer once a worker goes on, it waits for something else, or it has ended', () => {
      expect(eventStateOf(waiting, true, nameOf)).not.toHaveProperty('consent');
      for (const change of [
        { state: 'waiting', waiting_for: { ...waiting_for, reason: 'PAUSED' } },
        { state: 'done', outcome: 'CONSENT_REFUSED', waiting_for: null },
      ] as const) {
        expect(eventStateOf({ ...waiting, ...job(change), question }, false, nameOf)).not.toHaveProperty(
          'consent',
        );
      }
    });
  });

  test('what has ended needs no worker', () => {
    const ended = eventStateOf(job({ state: 'done', outcome: 'NOT_FOUND' }), false, nameOf);
    expect(stateWithoutWorker(ended)).toBe(ended);
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
