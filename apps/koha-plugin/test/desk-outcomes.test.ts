import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { aState, LAKESIDE, LANGUAGES, CHECKOUT_RESULTS, MIDLAND, OUTCOMES, WAITS } from './a-state.ts';
import { loadDesk, MESSAGES, type ScanState, type Shown, type View } from './load-desk.ts';

const desk = await loadDesk();

function shown(view: Partial<View>, language = 'en'): Shown {
  const whole = { state: null, followedMs: 0, now: 0, ...view };
  return desk.describe(whole, desk.createWords(MESSAGES, language), language);
}

describe('what the panel says', () => {
  test('each step says how it ended, and a fault is where it is', () => {
    const others = ['COPIED', 'ALREADY_LOCAL', 'CANCELLED'];
    const bad = OUTCOMES.filter((outcome) => !others.includes(outcome));
    const ended = Object.entries(desk.OUTCOMES).filter(([, { search, copy }]) => search && copy);
    expect(ended.map(([outcome]) => outcome).toSorted()).toEqual(bad.toSorted());
    const steps = (changed: Partial<ScanState>, view: Partial<View> = {}): Readonly<Record<string, string>> =>
      shown({ state: aState(changed), ...view }).steps;
    expect(steps({ outcome: 'NOT_FOUND' })).toEqual({ report: 'done', search: 'none', copy: 'skipped' });
    expect(steps({ outcome: 'NOT_A_CARD' })).toMatchObject({ search: 'skipped' });
    expect(steps({ outcome: 'AMBIGUOUS_HOME' })).toMatchObject({ search: 'several' });
    expect(steps({ outcome: 'NOT_ELIGIBLE' })).toMatchObject({ search: 'done', copy: 'stopped' });
    expect(steps({ outcome: 'HOME_UNREACHABLE' })).toMatchObject({ search: 'failed', copy: 'skipped' });
    const problemAt = (library: string): Partial<ScanState> => ({
      outcome: 'MISCONFIGURED',
      problem: { library, what: 'category' },
    });
    expect(steps(problemAt('riverside'))).toMatchObject({ search: 'done', copy: 'failed' });
    expect(steps(problemAt('midland'))).toMatchObject({ search: 'failed', copy: 'skipped' });
    expect(steps({ outcome: 'NOT_FOUND' }, { withItem: true })).toMatchObject({ checkout: 'skipped' });
    expect(steps({ outcome: 'NEW_IN_2030' })).toMatchObject({ search: 'unknown', copy: 'unknown' });
  });

  test('each outcome that leaves the patron unknown here says what the desk can do next', () => {
    const unknown = OUTCOMES.filter((outcome) => !['COPIED', 'ALREADY_LOCAL'].includes(outcome));
    expect(Object.keys(desk.OUTCOMES).toSorted()).toEqual(unknown.toSorted());
  });

  test('what is heard of no more did not fail: nobody knows how it ended', () => {
    const working = aState({ state: 'working', outcome: null });
    expect(shown({ state: working, fault: 'session', isOver: true }).steps).toEqual({
      report: 'done',
      search: 'unknown',
      copy: 'unknown',
    });
    expect(shown({ fault: 'refused', isOver: true }).steps).toMatchObject({
      report: 'failed',
      search: 'skipped',
    });
    expect(shown({ fault: 'not_a_card', isOver: true }).steps).toMatchObject({ report: 'skipped' });
  });

  test('while nothing is decided it says what is done, and that it is still done', () => {
    expect(shown({})).toMatchObject({ headline: 'Reporting the card …', tone: 'wait', takesItem: true });
    const working = aState({ state: 'working', outcome: null, homes: [] });
    expect(shown({ state: working }).headline).toBe('Searching at the partner libraries …');
    expect(shown({ state: working, followedMs: 5000 }).headline).toBe(
      'Still searching at the partner libraries …',
    );
    expect(shown({ state: { ...working, state: 'queued' }, followedMs: 5000 })).toMatchObject({
      headline: 'Waiting in the queue …',
      steps: { search: 'later' },
    });
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
      /^No answer yet from Midland Public Library\. Next try at .+\.$/,
    );
    expect(shown({ state: waiting, now: now + 5000 }).headline).toBe(
      'No answer yet from Midland Public Library.',
    );
    expect(shown({ state: { ...waiting, libraries: [] }, now: now + 5000 }).headline).toBe(
      'No answer yet from Midland.',
    );
    expect(shown({ state: { ...waiting, homes: [MIDLAND, LAKESIDE] }, now: now + 5000 }).headline).toBe(
      'No answer yet from Midland Public Library and Lakeside Library.',
    );
  });

  test.each([
    ['en', /^Midland Public Library is paused until Nov 25, 2026.+\. Register by hand, or wait\.$/],
    ['fr', /^Midland Public Library\u00a0: en pause jusqu’au 25 nov\. 2026.+\./],
    ['es', /^Midland Public Library: en pausa hasta el 25 nov 2026.+\./],
    ['de', /^Midland Public Library: pausiert bis 25\.11\.2026.+\./],
  ])('in %s a pause is named, with its end and no other time', (language, sentence) => {
    const held = { library: 'midland', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting }, language).headline).toMatch(sentence);
  });

  test('a pause that ends today has no date', () => {
    const held = { library: 'midland', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    const now = Date.parse('2026-11-25T11:00:00Z');
    expect(shown({ state: waiting, now }).headline).toMatch(/ is paused until \d{1,2}:00.[AP]M\. Register/);
  });

  test('a pause of this library itself says nothing of a search', () => {
    const held = { library: 'riverside', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting }).steps).toMatchObject({ search: 'now' });
  });

  test.each([
    ['HOME_UNREACHABLE', 'Paused for now: Midland Public Library.'],
    ['TOO_LATE', 'The passport service is paused for Riverside Public Library.'],
  ])('%s after a pause says so, and to register', (outcome, headline) => {
    const state = aState({ state: 'failed', outcome, reasons: ['PAUSED'] });
    expect(shown({ state })).toMatchObject({
      headline,
      advice: 'Try again later, or register by hand.',
      next: ['register', 'again', 'next'],
    });
  });

  test.each(['UNDER_AGE', 'CATEGORY_NOT_ELIGIBLE'])('of %s nothing can be settled at home', (rule) => {
    const rules = aState({ outcome: 'NOT_ELIGIBLE', reasons: ['EXPIRED', rule] });
    expect(shown({ state: rules }).advice).toBe(
      'This is a rule: there is nothing to settle at Midland Public Library.',
    );
  });

  describe('while the patron is to consent', () => {
    const consent = { text_id: 'v1', texts: { en: 'May we?', 'de-AT': 'Dürfen wir?' } };
    const held = { library: 'riverside', reason: 'CONSENT', next_try_at: '2026-11-25T09:05:00Z' };
    const state = aState({ state: 'waiting', outcome: null, waiting_for: held, consent });

    test('their library is named, and nothing else is offered', () => {
      expect(shown({ state, withItem: true })).toEqual({
        steps: { report: 'done', search: 'done', copy: 'later', checkout: 'later' },
        tone: 'warn',
        headline: 'Found at Midland Public Library. The patron must agree before anything is copied.',
        advice: 'Show the patron this text, and record what they say. One item is waiting to be checked out.',
        next: [],
        isOver: false,
        takesItem: false,
      });
      const stopped = { ...state, waiting_for: { ...held, reason: 'NO_WORKER', next_try_at: null } };
      expect(shown({ state: stopped }).headline).toContain('stopped');
    });

    test('an item can be scanned meanwhile, and it is said until when the answer counts', () => {
      const now = Date.parse('2026-11-25T09:00:00Z');
      const until = { ...state, consent: { ...consent, answer_by: '2026-11-25T09:05:00Z' } };
      expect(shown({ state: until, now }).takesItem).toBe(true);
      expect(shown({ state: until, now }).advice).toMatch(/ Answer until .+\.$/);
      expect(shown({ state: until, now: now + 600_000 }).advice).not.toContain('until');
      expect(shown({ state }).advice).not.toContain('until');
    });

    test('the question is there until it is answered, cancelled or over', () => {
      expect(desk.questionOf({ state })).toEqual(consent);
      expect(desk.questionOf({ state, answered: 'scan_0' })).toEqual(consent);
      expect(desk.questionOf({ state, answered: 'scan_1' })).toBeNull();
      expect(desk.questionOf({ state, cancel: 'pending' })).toBeNull();
      expect(desk.questionOf({ state: { ...state, state: 'working' } })).toBeNull();
      expect(shown({ state, answered: 'scan_1' })).toMatchObject({
        headline: 'The answer is recorded. One moment …',
        takesItem: true,
      });
    });

    test('the text is in the language of the page, or in one that is there', () => {
      expect(desk.textFor(consent.texts, 'de-AT')).toEqual({ language: 'de-AT', text: 'Dürfen wir?' });
      expect(desk.textFor({ de: 'Dürfen wir?' }, 'de-CH')).toEqual({ language: 'de', text: 'Dürfen wir?' });
      expect(desk.textFor(consent.texts, 'fr-FR').text).toBe('May we?');
      expect(desk.textFor({ und: 'Any' }, 'fr').text).toBe('Any');
      expect(desk.textFor({}, 'fr').text).toBe('');
    });
  });

  test('when this library itself is waited for, the search is over', () => {
    const held = { library: 'riverside', reason: 'BUSY', next_try_at: null };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [], waiting_for: held });
    expect(shown({ state: waiting })).toMatchObject({
      headline: 'Riverside Public Library is busy.',
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
      'Riverside Public Library could not store this patron.',
      'Register by hand.',
    ],
    [
      {
        outcome: 'MISCONFIGURED',
        state: 'failed',
        problem: { library: 'riverside', what: 'category', name: 'PT' },
      },
      'The passport service is not set up correctly for Riverside Public Library.',
      /Riverside Public Library: a patron category is missing \(PT\)\.$/,
    ],
    [{ outcome: 'NEW_IN_2030', message: 'Something new.' }, 'Something new.', ''],
  ])('%j is said in plain words, with what to do', (changed, headline, advice) => {
    const actual = shown({ state: aState(changed) });
    expect(actual.headline).toBe(headline);
    if (advice instanceof RegExp) expect(actual.advice).toMatch(advice);
    else expect(actual.advice).toBe(advice);
  });

  test('an item that was not checked out is the headline, as a warning: nothing says that all is well', () => {
    const checkout = (result: string, keys: string[] = []): Shown =>
      shown({ state: aState({ checkout: { result, keys } }), withItem: true });
    expect(checkout('CHECKED_OUT')).toMatchObject({
      tone: 'good',
      headline: 'The item is checked out.',
      steps: { checkout: 'done' },
    });
    expect(checkout('NEEDS_CONFIRMATION', ['RESERVED', 'ODD_KEY'])).toMatchObject({
      tone: 'warn',
      steps: { copy: 'done', checkout: 'stopped' },
      next: ['open', 'next'],
      headline:
        'The item was not checked out, Koha requires a confirmation: on hold for somebody else and ODD_KEY.',
      advice: 'Scan it again in the checkout. The patron is here now, from Midland Public Library.',
    });
    expect(checkout('BLOCKED').headline).toBe('The item cannot be checked out.');
    expect(checkout('NOT_ASKED')).toMatchObject({
      tone: 'warn',
      headline: 'The item was not checked out.',
      steps: { checkout: 'skipped' },
    });
    for (const result of CHECKOUT_RESULTS.filter((each) => !each.includes('CHECKED_OUT'))) {
      for (const language of LANGUAGES) {
        const actual = shown({ state: aState({ checkout: { result, keys: [] } }), withItem: true }, language);
        const good = shown({ state: aState() }, language).headline;
        expect(actual.tone).toBe('warn');
        expect(`${actual.headline} ${actual.advice}`).not.toContain(good);
      }
    }
  });

  test('an item that may be checked out is looked for by staff, whatever the event came to', () => {
    const checkout = { result: 'NO_ANSWER' as const, keys: [] };
    const here = shown({ state: aState({ checkout }), withItem: true });
    expect(here).toMatchObject({ tone: 'warn', steps: { checkout: 'unknown' } });
    expect(here.advice).toMatch(/^Look at the patron’s checkouts before you check it out\. /);
    const state = aState({ outcome: 'MISCONFIGURED', state: 'failed', checkout });
    expect(shown({ state, withItem: true }).advice).toMatch(/^The item may be checked out: .* Look at /);
  });

  test('an item is not forgotten where the patron does not come', () => {
    const actual = shown({ state: aState({ outcome: 'NOT_FOUND', homes: [] }), withItem: true });
    expect(actual.headline).toBe('No partner library knows this card.');
    expect(actual.advice).toMatch(/^The item was not checked out\. /);
  });

  test('a result that the desk must act on warns, and what does not work is bad', () => {
    expect(shown({ state: aState({ outcome: 'NOT_FOUND' }) }).tone).toBe('warn');
    expect(shown({ state: aState({ outcome: 'LENDING_REFUSED', state: 'failed' }) }).tone).toBe('bad');
    expect(shown({ state: aState() }).tone).toBe('good');
  });

  test('each end offers the next step, the next card among them', () => {
    for (const outcome of OUTCOMES) {
      const { next, isOver } = shown({ state: aState({ outcome }) });
      expect([outcome, isOver, next.at(-1)]).toEqual([outcome, true, 'next']);
    }
    for (const fault of ['refused', 'lost', 'not_a_card', 'item_here', 'elsewhere', 'session', 'forbidden']) {
      expect([fault, shown({ fault, isOver: true }).next.at(-1)]).toEqual([fault, 'next']);
    }
    expect(desk.nextAfterOutcome('NOT_FOUND')).toEqual(['register', 'name', 'next']);
    expect(desk.nextAfterOutcome('HOME_UNREACHABLE')[0]).toBe('again');
    expect(desk.nextAfterOutcome('NOT_ELIGIBLE')).toEqual(['next']);
    expect(desk.nextAfterFault('session')[0]).toBe('reload');
  });

  test('while it takes long the desk hears what it can do meanwhile', () => {
    const working = aState({ state: 'working', outcome: null });
    expect(shown({ state: working })).toMatchObject({ advice: '', next: [], isOver: false });
    expect(shown({ state: working, followedMs: 5000 })).toMatchObject({
      advice: expect.stringMatching(/^You can serve the next patron/) as unknown as string,
      next: ['next', 'register'],
    });
  });

  test.each([
    ['en', 'Copied. The checkout is pending.'],
    ['fr', 'La copie est faite. Le prêt reste à faire.'],
    ['es', 'La copia está hecha. El préstamo está pendiente.'],
    ['de', 'Kopiert. Die Ausleihe steht noch aus.'],
  ])(
    'in %s a copy whose checkout is still to come can be opened, and nobody is registered',
    (language, headline) => {
      const held = { library: 'riverside', reason: 'NO_ANSWER', next_try_at: null };
      for (const state of ['waiting', 'working', 'queued']) {
        const pending = aState({ state, outcome: null, patron_id: 812, waiting_for: held });
        expect(shown({ state: pending, withItem: true }, language)).toMatchObject({
          tone: 'warn',
          headline,
          advice: MESSAGES[language]?.['checkout.pending.advice'],
          steps: { report: 'done', search: 'done', copy: 'done', checkout: 'now' },
          next: ['open', 'next'],
          isOver: false,
          takesItem: false,
        });
      }
    },
  );

  test('a pause of this library is its own, although the home of the patron is known', () => {
    const held = { library: 'riverside', reason: 'PAUSED', next_try_at: '2026-11-25T12:00:00Z' };
    const waiting = aState({ state: 'waiting', outcome: null, homes: [MIDLAND], waiting_for: held });
    expect(shown({ state: waiting }).headline).toMatch(/^Riverside Public Library is paused/);
  });

  test('that no worker is there is said, and no step is shown as going on', () => {
    const held = { library: 'riverside', reason: 'NO_WORKER', next_try_at: null };
    for (const state of ['queued', 'waiting', 'working']) {
      const actual = shown({ state: aState({ state, outcome: null, homes: [], waiting_for: held }) });
      expect(actual).toMatchObject({
        tone: 'warn',
        headline: 'The passport service is stopped at the moment. It keeps this scan until it runs again.',
        advice: expect.stringMatching(/^Register by hand if the patron cannot wait/) as unknown as string,
        steps: { report: 'done', search: 'later', copy: 'later' },
        next: ['next', 'register'],
        takesItem: true,
      });
    }
  });

  test.each([
    ['pending', 'Cancelling …', 'wait'],
    ['stopped', 'Nothing will be checked out. The copy was already on its way …', 'wait'],
    ['nothing', 'Cancelled: nothing was written.', 'good'],
    ['copied', 'The patron is registered here; nothing was checked out.', 'warn'],
    ['sent', 'Nothing was checked out. The copy was already on its way.', 'warn'],
    ['checked_out', 'Already checked out.', 'warn'],
    ['forgotten', 'The passport service does not know this scan any more.', 'warn'],
    ['failed', 'The cancel could not be confirmed.', 'bad'],
  ])('a cancel says what it came to: %s', (cancel, headline, tone) => {
    const state = aState({ state: 'working', outcome: null });
    expect(shown({ state, cancel })).toMatchObject({ headline, tone, takesItem: false });
    for (const language of LANGUAGES) {
      expect(shown({ state, cancel }, language).headline).toBe(MESSAGES[language]?.[`cancel.${cancel}`]);
    }
  });

  test('what was cancelled is read from the state, the worst of several events first', () => {
    const end = (change: Partial<ScanState>): string =>
      desk.cancelEnd(aState({ outcome: 'CANCELLED', ...change }));
    expect(end({ homes: [], patron_id: null })).toBe('nothing');
    expect(end({ patron_id: null })).toBe('sent');
    expect(end({})).toBe('copied');
    expect(end({ outcome: 'COPIED', checkout: { result: 'CHECKED_OUT', keys: [] } })).toBe('checked_out');
    expect(end({ outcome: 'COPIED', checkout: { result: 'NO_ANSWER', keys: [] } })).toBe('failed');
    expect(end({ outcome: 'NOT_FOUND', homes: [], patron_id: null })).toBe('nothing');
    expect(end({ outcome: 'NOT_ELIGIBLE', patron_id: null })).toBe('nothing');
    expect(end({ outcome: 'ALREADY_LOCAL', reasons: [] })).toBe('nothing');
    expect(end({ outcome: 'ALREADY_LOCAL', reasons: ['CARD_CHANGED'] })).toBe('copied');
    for (const outcome of ['HOME_UNREACHABLE', 'LENDING_UNREACHABLE']) {
      expect(end({ outcome, homes: [], patron_id: null })).toBe('nothing');
      expect(end({ outcome, patron_id: null })).toBe('failed');
    }
    expect(['checked_out', 'nothing', 'copied'].reduce(desk.worseEnd)).toBe('checked_out');
    expect(['copied', 'failed'].reduce(desk.worseEnd)).toBe('failed');
    expect(['checked_out', 'forgotten', 'nothing'].reduce(desk.worseEnd)).toBe('forgotten');
  });

  test.each(['pending', 'stopped'])('a cancel (%s) that nobody completes says why', (cancel) => {
    const held = { library: 'riverside', reason: 'NO_WORKER', next_try_at: null };
    const state = aState({ state: 'working', outcome: null });
    expect(shown({ state: { ...state, waiting_for: held }, cancel })).toMatchObject({
      tone: 'warn',
      advice: expect.stringMatching(/^Register by hand if the patron cannot wait/) as unknown as string,
    });
    expect(shown({ state, cancel, fault: 'koha' })).toMatchObject({
      tone: 'warn',
      advice: 'Koha does not answer. Trying again …',
    });
    expect(shown({ state, cancel })).toMatchObject({ tone: 'wait', advice: '' });
  });

  test('a cancel leaves the desk to the next card, and one that failed can be repeated', () => {
    const state = aState({ state: 'working', outcome: null });
    expect(shown({ state, cancel: 'pending' })).toMatchObject({ next: [], isOver: false });
    expect(shown({ state, cancel: 'nothing' })).toMatchObject({ next: ['next'], isOver: true });
    const here = { ...state, patron_id: 812 };
    expect(shown({ state: here, cancel: 'checked_out' }).next).toEqual(['open', 'next']);
    expect(shown({ state, cancel: 'failed' })).toMatchObject({ next: [], isOver: false });
    expect(shown({ state, cancel: 'forgotten', withItem: true })).toMatchObject({
      advice: 'Look at the patron’s record before you go on.',
      next: ['next'],
      isOver: true,
      steps: { report: 'done', search: 'unknown', copy: 'unknown', checkout: 'unknown' },
    });
    expect(shown({ state, cancel: 'sent', withItem: true }).steps).toEqual({
      report: 'done',
      search: 'done',
      copy: 'unknown',
      checkout: 'skipped',
    });
  });

  test('an event that somebody else has cancelled is shown as cancelled, with no step that failed', () => {
    const actual = shown({ state: aState({ outcome: 'CANCELLED' }), withItem: true });
    expect(actual).toMatchObject({
      headline: 'The patron is registered here; nothing was checked out.',
      steps: { report: 'done', search: 'done', copy: 'done', checkout: 'skipped' },
      next: ['again', 'next'],
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
    expect(fault('unreachable', false)).toMatchObject({
      tone: 'wait',
      headline: 'The passport service does not answer. Trying again …',
      advice: 'Register by hand if the patron cannot wait.',
      takesItem: true,
      steps: { report: 'now' },
    });
    expect(fault('refused', true)).toMatchObject({
      tone: 'bad',
      headline: 'The passport service refuses this library.',
    });
    expect(fault('session', true)).toMatchObject({ headline: 'Your session has ended.' });
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
      libraries: fc.subarray([MIDLAND, { id: 'riverside', name: null }]),
      message: fc.constantFrom('A message.', null),
    });
    fc.assert(
      fc.property(
        fc.option(anyState),
        fc.boolean(),
        fc.constantFrom(...LANGUAGES),
        (state, withItem, language) => {
          const actual = shown({ state, withItem, now: 0 }, language);
          expect(actual.headline).not.toBe('');
          expect(`${actual.headline} ${actual.advice}`).not.toMatch(/\{\w+\}|undefined|null|NaN|\[object/);
        },
      ),
    );
  });
});
