import { describe, expect, test } from '@jest/globals';
import {
  CHECKOUT_RESULTS,
  ELIGIBILITY_REASONS,
  type EventState,
  type JobData,
  OUTCOMES,
  type Progress,
  WAITING_REASONS,
  eventStateOf,
  stateWithoutWorker,
} from '@passport/contract';
import { LAKESIDE, MIDLAND, RIVERSIDE } from './a-state.ts';
import { loadDesk, MESSAGES } from './load-desk.ts';

const desk = await loadDesk();
const AT = '2026-11-25T09:00:01.000Z';
const NAMES = new Map([MIDLAND, LAKESIDE, RIVERSIDE].map(({ id, name }) => [id, name]));

function stateOf(change: Partial<Progress>, isRunning = false): EventState {
  const progress: Progress = {
    seq: 1,
    state: 'done',
    outcome: null,
    reasons: [],
    homes: [MIDLAND],
    patron_id: null,
    checkout: null,
    waiting_for: null,
    problem: null,
    attempt: 1,
    updated_at: AT,
    ...change,
  };
  const job: Pick<JobData, 'event_id' | 'library' | 'scanned_at' | 'progress'> = {
    event_id: 'scan_1',
    library: 'riverside',
    scanned_at: AT,
    progress,
  };
  return eventStateOf(job, isRunning, (id) => NAMES.get(id) ?? id);
}

/** What the panel says in English: its headline, and with what to do. A desk sees that it goes on; a list does not. */
function saidAtDesk(state: EventState): string[] {
  const view = { state, followedMs: 0, now: Date.parse(AT) + 1 };
  const { headline, advice } = desk.describe(view, desk.createWords(MESSAGES, 'en'), 'en');
  const sentence = headline.replace(/ …$/, '.');
  return [sentence, `${sentence} ${advice}`];
}

describe('the desk, the API and the dashboard say the same', () => {
  test.each(OUTCOMES)('of %s', (outcome) => {
    const state = stateOf({ outcome, homes: [MIDLAND, LAKESIDE] });
    expect(saidAtDesk(state)).toContain(state.message);
  });

  test('of each reason, and of several', () => {
    for (const reason of ELIGIBILITY_REASONS) {
      const state = stateOf({ outcome: 'NOT_ELIGIBLE', reasons: [reason] });
      expect(saidAtDesk(state)).toContain(state.message);
    }
    const all = stateOf({ outcome: 'NOT_ELIGIBLE', reasons: [...ELIGIBILITY_REASONS] });
    expect(saidAtDesk(all)).toContain(all.message);
  });

  test.each(['PT', null])('of a patron who is only observed (%s)', (category) => {
    const state = stateOf({ outcome: 'OBSERVED', observed: { category } });
    expect(saidAtDesk(state)).toContain(state.message);
  });

  test('of a cancel before anything was found, and after the copy', () => {
    for (const change of [{ homes: [] }, { patron_id: 812 }]) {
      const state = stateOf({ outcome: 'CANCELLED', ...change });
      expect(saidAtDesk(state)).toContain(state.message);
    }
  });

  test('of a set-up that is wrong elsewhere', () => {
    const state = stateOf({
      outcome: 'MISCONFIGURED',
      problem: { library: 'midland', what: 'credentials', name: null },
    });
    expect(saidAtDesk(state)).toContain(state.message);
  });

  test.each(CHECKOUT_RESULTS.filter((result) => result !== 'NOT_ASKED' && !result.endsWith('CHECKED_OUT')))(
    'of an item that was not checked out: %s',
    (result) => {
      const state = stateOf({ outcome: 'COPIED', checkout: { result, keys: [] } });
      expect(saidAtDesk(state)).toContain(state.message);
    },
  );

  const timeless = WAITING_REASONS.filter((reason) => reason !== 'PAUSED'); // a desk shows its own time

  test.each(timeless)('of what it waits for: %s', (reason) => {
    for (const library of ['midland', 'riverside']) {
      const waiting_for = { library, reason, next_try_at: AT };
      const state = stateOf({ state: 'waiting', homes: [MIDLAND, LAKESIDE], waiting_for });
      expect(saidAtDesk(state)).toContain(state.message);
    }
  });

  test('of a search, and of a service without a worker', () => {
    for (const state of [
      stateOf({ state: 'queued' }, true),
      stateWithoutWorker(stateOf({ state: 'queued' })),
    ]) {
      expect(saidAtDesk(state)).toContain(state.message);
    }
  });
});
