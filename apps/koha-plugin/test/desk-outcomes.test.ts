import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { aState, LAKESIDE, LANGUAGES, CHECKOUT_RESULTS, MIDLAND, OUTCOMES, WAITS } from './a-state.ts';
import { loadDesk, MESSAGES } from './load-desk.ts';
import type { ScanState, Shown, View } from './load-desk.ts';

const desk = await loadDesk();

function shown(view: Partial<View>, language = 'en'): Shown {
  const whole = { state: null, followedMs: 0, now: 0, ...view };
  return desk.describe(whole, desk.createWords(MESSAGES, language), language);
}

describe('what the panel says', () => {
  test('each outcome after which nothing can be checked out shows the step that failed', () => {
    const bad = OUTCOMES.filter((outcome) => outcome !== 'COPIED' && outcome !== 'ALREADY_LOCAL');
    expect(Object.keys(desk.FAILED_STEPS).toSorted()).toEqual(bad.toSorted());
    expect(shown({ state: aState({ outcome: 'LOCAL_CONFLICT' }) }).steps).toMatchObject({
      search: 'done',
      copy: 'failed',
    });
    expect(shown({ state: aState({ outcome: 'NOT_FOUND' }) }).steps).toMatchObject({ search: 'failed' });
  });

  test('while nothing is decided it says what is done, and that it is still done', () => {
    expect(shown({})).toMatchObject({ headline: 'Reporting the card …', tone: 'wait', takesItem: true });
    const working = aState({ state: 'working', outcome: null, homes: [] });
    expect(shown({ state: working }).headline).toBe('Searching at the partner libraries …');
    expect(shown({ state: working, followedMs: 5000 }).headline).toBe(
      'Still searching at the partner libraries …',
    );
    expect(shown({ state: working }).steps).toEqual({ report: 'done', search: 'now', copy: 'later' });
  });

  test('a library that is slow is named, with the next try', () => {
    const now = Date.parse('2026-11-25T09:00:00Z');
    const waiting = aState({
      state: 'waiting',
      outcome: null,
      homes: [],
      waiting_for: { library: 'midland', reason: 'NO_ANSWER', next_try_at: '2026-11-25T09:00:04Z' },
    });
    expect(shown({ state: waiting, now }).headline).toMatch(
      /^No answer yet from Midland\. Next try at .+\.$/,
    );
    expect(shown({ state: waiting, now: now + 5000 }).headline).toBe('No answer yet from Midland.');
    expect(shown({ state: { ...waiting, homes: [MIDLAND, LAKESIDE] }, now: now + 5000 }).headline).toBe(
      'No answer yet from Midland Public Library and Lakeside Library.',
    );
  });

  test.each([
    ['en', /^Midland is paused until Nov 25, 2026.+\. Register by hand, or wait\.$/],
    ['fr', /^Midland : en pause jusqu’au 25 nov\. 2026.+\./],
    ['es', /^Midland: en pausa hasta el 25 nov 2026.+\./],
    ['de', /^Midland: pausiert bis 25\.11\.2026.+\./],
  ])('in %s a pause is named, with its end and no other time', (language, sentence) => {
    const held = { library: 'midland', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting }, language).headline).toMatch(sentence);
  });

  test('a pause of this library itself says nothing of a search', () => {
    const held = { library: 'riverside', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting }).steps).toMatchObject({ search: 'now' });
  });

  test.each([
    ['HOME_UNREACHABLE', 'Paused for now: Midland Public Library.'],
    ['TOO_LATE', 'The passport service is paused for Riverside.'],
  ])('%s after a pause says so, and what to do', (outcome, headline) => {
    const state = aState({ state: 'failed', outcome, reasons: ['PAUSED'] });
    expect(shown({ state })).toMatchObject({ headline, advice: 'Try again later, or register by hand.' });
  });

  test('when this library itself is waited for, the search is over', () => {
    const held = { library: 'riverside', reason: 'BUSY', next_try_at: null };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting })).toMatchObject({
      headline: 'Riverside is busy.',
      steps: { report: 'done', search: 'done', copy: 'now' },
    });
  });

  test.each([
    [{ outcome: 'COPIED' }, 'Found at Midland Public Library. You can check out now.', ''],
    [{ outcome: 'ALREADY_LOCAL' }, 'This patron is already here. You can check out now.', ''],
    [{ outcome: 'NOT_FOUND', homes: [] }, 'No partner library knows this card.', /by hand/],
    [{ outcome: 'NOT_A_CARD', homes: [] }, "This is not a partner library's card.", /by name/],
    [
      { outcome: 'AMBIGUOUS_HOME', homes: [MIDLAND, LAKESIDE] },
      'Several libraries use this card number: Midland Public Library and Lakeside Library.',
      'Ask the patron, then register by hand.',
    ],
    [
      { outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED', 'DEBT_OVER_LIMIT'] },
      'Found at Midland Public Library, but: the card has expired and the patron owes too much.',
      /Midland/,
    ],
    [
      { outcome: 'NOT_ELIGIBLE' },
      'Found at Midland Public Library, but not allowed to borrow here.',
      /Midland Public Library/,
    ],
    [
      { outcome: 'HOME_UNREACHABLE', state: 'failed', homes: [MIDLAND, LAKESIDE] },
      'Midland Public Library and Lakeside Library did not answer.',
      'Try again later, or register by hand.',
    ],
    [
      { outcome: 'OBSERVED', observed: { category: 'PT' } },
      'Found at Midland Public Library. The service only observes here: it would have copied the patron as PT.',
      'Register by hand, as before.',
    ],
    [
      { outcome: 'OBSERVED', observed: { category: null } },
      'Found at Midland Public Library. The service only observes here: it would have updated the copy that is here.',
      'Register by hand, as before.',
    ],
    [
      { outcome: 'LENDING_REFUSED', state: 'failed' },
      'Riverside could not store this patron.',
      'Register by hand.',
    ],
    [
      {
        outcome: 'MISCONFIGURED',
        state: 'failed',
        problem: { library: 'riverside', what: 'category', name: 'PT' },
      },
      'The passport service is not set up correctly for Riverside.',
      /Riverside: a patron category is missing \(PT\)\.$/,
    ],
    [{ outcome: 'NEW_IN_2030', message: 'Something new.' }, 'Something new.', ''],
  ])('%j is said in plain words, with what to do', (changed, headline, advice) => {
    const said = shown({ state: aState(changed) });
    expect(said.headline).toBe(headline);
    if (advice instanceof RegExp) expect(said.advice).toMatch(advice);
    else expect(said.advice).toBe(advice);
  });

  test('the result for the item is shown beside the patron', () => {
    const checkout = (result: string, keys: string[] = []): Shown =>
      shown({ state: aState({ checkout: { result, keys } }), withItem: true });
    expect(checkout('CHECKED_OUT')).toMatchObject({ tone: 'good', steps: { checkout: 'done' } });
    expect(checkout('CHECKED_OUT').headline).toMatch(/The item is checked out\.$/);
    expect(checkout('NEEDS_CONFIRMATION', ['RESERVED', 'ODD_KEY'])).toMatchObject({
      tone: 'partly',
      steps: { copy: 'done', checkout: 'failed' },
      canOpen: true,
      headline: 'Found at Midland Public Library. You can check out now.',
      advice:
        'The item was not checked out, Koha requires a confirmation: on hold for somebody else and ODD_KEY.' +
        ' Scan it again in the checkout.',
    });
    expect(checkout('BLOCKED').advice).toBe(
      'The item cannot be checked out. See the checkout page for details.',
    );
  });

  test.each([
    ['pending', 'Cancelling …', 'wait'],
    ['stopped', 'Nothing will be checked out. The copy was already on its way …', 'wait'],
    ['nothing', 'Cancelled: nothing was written.', 'wait'],
    ['copied', 'The copy was already made; nothing was checked out.', 'partly'],
    ['sent', 'Nothing was checked out. The copy was already on its way.', 'partly'],
    ['checked_out', 'Already checked out.', 'partly'],
    ['failed', 'The cancel could not be confirmed.', 'bad'],
  ])('a cancel says what it came to: %s', (cancel, headline, tone) => {
    const state = aState({ state: 'working', outcome: null });
    expect(shown({ state, cancel })).toMatchObject({ headline, tone, takesItem: false, canTryAgain: false });
    for (const language of LANGUAGES) {
      expect(shown({ state, cancel }, language).headline).toBe(MESSAGES[language]?.[`cancel.${cancel}`]);
    }
  });

  test('what was cancelled is told from the state, the worst of several events first', () => {
    const end = (change: Partial<ScanState>): string =>
      desk.cancelEnd(aState({ outcome: 'CANCELLED', ...change }));
    expect(end({ homes: [], patron_id: null })).toBe('nothing');
    expect(end({ patron_id: null })).toBe('sent');
    expect(end({})).toBe('copied');
    expect(end({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT', keys: [] } })).toBe('checked_out');
    expect(end({ outcome: 'NOT_FOUND', homes: [], patron_id: null })).toBe('nothing');
    expect(['checked_out', 'nothing', 'copied'].reduce(desk.worseEnd)).toBe('checked_out');
    expect(['copied', 'failed'].reduce(desk.worseEnd)).toBe('failed');
  });

  test('an event that somebody else has cancelled is shown as cancelled, with no step that failed', () => {
    const said = shown({ state: aState({ outcome: 'CANCELLED' }), withItem: true });
    expect(said).toMatchObject({
      headline: 'The copy was already made; nothing was checked out.',
      steps: { report: 'done', search: 'done', copy: 'done', checkout: 'later' },
      canOpen: false,
    });
    const nothing = shown({ state: aState({ outcome: 'CANCELLED', homes: [], patron_id: null }) });
    expect(nothing.headline).toBe('Cancelled: nothing was written.');
    expect(Object.values(nothing.steps)).not.toContain('failed');
  });

  test('a scan can be cancelled until it has ended, and again where that failed', () => {
    const working = aState({ state: 'working', outcome: null });
    expect(desk.canCancel({ state: null })).toBe(true);
    expect(desk.canCancel({ state: working })).toBe(true);
    expect(desk.canCancel({ state: aState() })).toBe(false);
    expect(desk.canCancel({ state: working, isOver: true })).toBe(false);
    expect(desk.canCancel({ state: working, cancel: 'pending' })).toBe(false);
    expect(desk.canCancel({ state: working, cancel: 'failed' })).toBe(true);
  });

  test('one item is taken, and none once the headline is known', () => {
    const working = aState({ state: 'working', outcome: null });
    expect(shown({ state: working }).takesItem).toBe(true);
    expect(shown({ state: working, withItem: true })).toMatchObject({
      takesItem: false,
      advice: 'One item is waiting to be checked out.',
    });
    expect(shown({ state: aState({ outcome: 'NOT_FOUND' }) }).takesItem).toBe(false);
  });

  test('T-15 a service that is away, one that refuses and an answer of nobody are three different things', () => {
    const fault = (name: string, isOver: boolean): Shown => shown({ fault: name, isOver });
    expect(fault('unreachable', false)).toMatchObject({ tone: 'wait', takesItem: true, canTryAgain: false });
    expect(fault('unreachable', true)).toMatchObject({
      tone: 'bad',
      headline: 'The passport service does not answer.',
      canTryAgain: true,
      steps: { report: 'failed' },
    });
    expect(fault('refused', true).headline).toBe('The passport service refuses this library.');
    expect(fault('session', true)).toMatchObject({ headline: 'Your session has ended.', canTryAgain: false });
  });

  test('whatever may come, in each language there is a sentence without a blank left open', () => {
    const aKey = fc.constantFrom('DEBT', 'RESERVED', 'TOO_MANY', 'ODD_KEY');
    const anyState = fc.record({
      library: fc.constantFrom('riverside', 'north-west'),
      state: fc.constantFrom('queued', 'working', 'waiting', 'done', 'failed'),
      outcome: fc.constantFrom(...OUTCOMES, null),
      reasons: fc.array(fc.constantFrom('EXPIRED', 'RESTRICTED', 'UNVERIFIABLE', 'ODD_REASON'), {
        maxLength: 3,
      }),
      homes: fc.subarray([MIDLAND, LAKESIDE, { id: 'no-name', name: null }]),
      patron_id: fc.constantFrom(1, null),
      checkout: fc.option(
        fc.record({ result: fc.constantFrom(...CHECKOUT_RESULTS), keys: fc.array(aKey, { maxLength: 2 }) }),
      ),
      waiting_for: fc.option(
        fc.record({
          library: fc.constantFrom('midland', 'riverside'),
          reason: fc.constantFrom(...WAITS, 'ODD'),
          next_try_at: fc.constantFrom('2026-11-25T09:00:04Z', null, 'soon'),
        }),
      ),
      problem: fc.option(
        fc.record({
          library: fc.constant('midland'),
          what: fc.constantFrom('credentials', 'odd'),
          name: fc.constantFrom('PT', null),
        }),
      ),
      message: fc.constantFrom('A message.', null),
    });
    fc.assert(
      fc.property(
        fc.option(anyState),
        fc.boolean(),
        fc.constantFrom(...LANGUAGES),
        (state, withItem, language) => {
          const said = shown({ state, withItem, now: 0 }, language);
          expect(said.headline).not.toBe('');
          expect(`${said.headline} ${said.advice}`).not.toMatch(/\{\w+\}|undefined|null|NaN|\[object/);
        },
      ),
    );
  });
});
