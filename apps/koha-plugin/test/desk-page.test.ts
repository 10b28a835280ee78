import { describe, expect, test } from '@jest/globals';
import { aState } from './a-state.ts';
import { loadDesk } from './load-desk.ts';

const desk = await loadDesk();
const CARD = '21234000000017';

describe('where the panel has something to do', () => {
  test('only the page for a card that Koha looked for in vain counts', () => {
    const page = (path: string, search: string): string | null => desk.cardOfPage({ pathname: path, search });
    const member = '/cgi-bin/koha/members/member.pl';
    expect(page(member, `?quicksearch=1&circsearch=1&searchmember=${CARD}`)).toBe(CARD);
    expect(page(member, '?circsearch=1&searchmember=+17%2F4+')).toBe('17/4');
    expect(page(member, `?searchmember=${CARD}`)).toBeNull();
    expect(page(member, '?circsearch=1&searchmember=++')).toBeNull();
    expect(page(member, '?circsearch=1')).toBeNull();
    expect(page('/cgi-bin/koha/members/members-home.pl', `?circsearch=1&searchmember=${CARD}`)).toBeNull();
    expect(page('/cgi-bin/koha/circ/circulation.pl', `?circsearch=1&searchmember=${CARD}`)).toBeNull();
  });

  test('T-04 a name, an item and a broken pattern are no card', () => {
    const patterns = ['(', '^21234\\d{9}$', '^25678\\d{9}$'];
    expect(desk.looksLikeCard(CARD, patterns)).toBe(true);
    for (const typed of ['Smith', 'Smith, John', '1', '39999000012345', `${CARD}0`, '']) {
      expect(desk.looksLikeCard(typed, patterns)).toBe(false);
    }
    expect(desk.looksLikeCard(CARD, [])).toBe(false);
  });

  test('a pattern means what it means to the service, and one that is none there still means something', () => {
    expect(desk.looksLikeCard('Ł1234', [String.raw`^\p{L}\d{4}$`])).toBe(true);
    expect(desk.looksLikeCard('p{L}1234', [String.raw`^\p{L}\d{4}$`])).toBe(false);
    expect(desk.looksLikeCard('A-1234', [String.raw`^A\-\d{4}$`])).toBe(true);
  });
});

describe("Koha's own search", () => {
  const table = (found: Record<string, object>, offsetParent: object | null = {}): object => ({
    getElementById: () => ({
      offsetParent,
      querySelector: (selector: string) => found[selector] ?? null,
    }),
  });
  const dataTable = (answer: unknown): unknown => {
    const jQuery = () => ({ DataTable: () => ({ ajax: { json: () => answer } }) });
    return Object.assign(jQuery, { fn: { dataTable: { isDataTable: () => true } } });
  };

  test('the last answer of DataTables counts, not the empty row from before the first search', () => {
    const empty = table({ 'td.dataTables_empty, td.dt-empty': {} });
    expect(desk.hitsIn(empty, dataTable(undefined))).toBe('pending');
    expect(desk.hitsIn(empty, dataTable({ recordsFiltered: 0, data: [] }))).toBe('none');
    expect(desk.hitsIn(empty, dataTable({ recordsFiltered: 2, data: [{}, {}] }))).toBe('some');
    expect(desk.hitsIn(empty, dataTable({ data: [{}] }))).toBe('some');
  });

  test('a search that Koha took from its saved state says nothing of this card', () => {
    const form = (value: string | null): object => ({
      getElementById: (id: string) => (id === 'search_patron_filter' && value !== null ? { value } : null),
    });
    expect(desk.isSearchFor(CARD, form(CARD))).toBe(true);
    expect(desk.isSearchFor(CARD, form(` ${CARD} `))).toBe(true);
    expect(desk.isSearchFor(CARD, form('Smith'))).toBe(false);
    expect(desk.isSearchFor(CARD, form(''))).toBe(false);
    expect(desk.isSearchFor(CARD, form(null))).toBe(true);
  });

  test('without DataTables the table itself is read, once it is shown', () => {
    const empty = { 'td.dataTables_empty, td.dt-empty': {} };
    expect(desk.hitsIn(table(empty, null), undefined)).toBe('pending');
    expect(desk.hitsIn(table(empty), undefined)).toBe('none');
    expect(desk.hitsIn(table({ 'tbody tr': {} }), undefined)).toBe('some');
    expect(desk.hitsIn(table({}), undefined)).toBe('pending');
    expect(desk.hitsIn({ getElementById: () => null }, undefined)).toBe('pending');
  });
});

describe('going back to the checkout', () => {
  test('it opens as soon as the patron is here, whatever became of the item', () => {
    expect(desk.isHere(aState())).toBe(true);
    expect(desk.isHere(aState({ outcome: 'ALREADY_LOCAL' }))).toBe(true);
    expect(desk.isHere(aState({ checkout: { result: 'BLOCKED', keys: ['DEBT'] } }))).toBe(true);
    expect(desk.isHere(aState({ state: 'working' }))).toBe(false);
    expect(desk.isHere(aState({ outcome: 'NOT_FOUND' }))).toBe(false);
  });

  test('it opens with the patron, or by the card where the patron is not known', () => {
    expect(desk.checkoutAddress(aState(), CARD)).toBe('/cgi-bin/koha/circ/circulation.pl?borrowernumber=812');
    expect(desk.checkoutAddress(aState({ patron_id: null }), 'a&b=1')).toBe(
      '/cgi-bin/koha/circ/circulation.pl?findborrower=a%26b%3D1',
    );
  });
});

describe('a code that is scanned into the box', () => {
  const waiting = { card: CARD, isOver: false, isHere: false, takesItem: true, withItem: false };
  const theirs = { patterns: ['^2\\d{13}$'], anyCard: false };
  const any = { patterns: ['^(?=.*[0-9])[0-9A-Za-z._-]{4,32}$'], anyCard: true };
  const nothing = { isItem: false, isPatron: false };
  const item = { isItem: true, isPatron: false };
  const NEXT = '25678000000012';

  test.each([
    ['the card again, on its way', CARD, {}, nothing, theirs, 'ignored'],
    ['the card again, in other letters', 'aB12', { card: 'Ab12' }, nothing, any, 'ignored'],
    ['the card again, after the end', CARD, { isOver: true }, null, theirs, 'card'],
    ['an item of this library', '39999000000017', {}, item, theirs, 'item'],
    ['an item where nobody says what cards look like', '39999000000017', {}, item, any, 'item'],
    ['a card of a partner', NEXT, {}, nothing, theirs, 'card'],
    ['what may be one where nobody says', NEXT, {}, nothing, any, 'card'],
    ['a card of a patron of this library', '777', {}, { isItem: false, isPatron: true }, theirs, 'card'],
    ['what can be both', NEXT, {}, item, theirs, 'ask'],
    ['an item and a patron of this library', NEXT, {}, { isItem: true, isPatron: true }, any, 'ask'],
    ['half a code', '0017', {}, nothing, theirs, 'neither'],
    ['what Koha said nothing of', NEXT, {}, null, theirs, 'unread'],
    [
      'another item while one waits',
      '39999000000017',
      { takesItem: false, withItem: true },
      item,
      theirs,
      'spare',
    ],
    [
      'an item with nobody for it',
      '39999000000017',
      { takesItem: false, isOver: true },
      item,
      theirs,
      'no_patron',
    ],
    [
      'the item again that was not checked out',
      '39999000000017',
      { takesItem: false, isOver: true, isHere: true, withItem: true },
      item,
      theirs,
      'open',
    ],
    [
      'a name, for Koha to look up',
      'Novak, Ana',
      { isOver: true, takesItem: false },
      nothing,
      theirs,
      'card',
    ],
    ['anything after the end, where Koha said nothing', NEXT, { isOver: true }, null, theirs, 'card'],
  ])('is read for what it is: %s', (_what, code, facts, is, cards, meaning) => {
    expect(desk.meaningOf(code, { ...waiting, ...facts }, is, cards)).toBe(meaning);
  });

  const BOOK = '39999000000017';
  test.each(['ask', 'unread', 'neither'])(
    'may be the next card where it came to nothing (%s): no item after it is for the patron before',
    (nothingYet) => {
      const unclear = new Map<string, string>();
      const read = (code: string, meaning: string) => desk.afterUnclear(code, meaning, unclear);
      expect(read(BOOK, 'item')).toBe('item');
      expect(read('aB17', nothingYet)).toBe(nothingYet);
      for (const meaning of ['item', 'open', 'spare']) expect(read(BOOK, meaning)).toBe('doubtful');
      expect(read(NEXT, 'card')).toBe('card');
      expect(read(BOOK, 'item')).toBe('doubtful');
      // another one does not make it clear
      expect(read(NEXT, 'ask')).toBe('ask');
      expect(read(NEXT, 'item')).toBe('doubtful');
      expect(read('Ab17', 'item')).toBe('item');
      expect(read(BOOK, 'item')).toBe('item');
      expect(read('aB17', nothingYet)).toBe(nothingYet);
      expect(read(CARD, 'ignored')).toBe('ignored');
      expect(read(BOOK, 'item')).toBe('item');
    },
  );
});

describe('requests to Koha', () => {
  test('answers to a report are distinguished: accepted, try again, no use', () => {
    expect(desk.readReport(202, { event_id: 'scan_1' })).toMatchObject({
      kind: 'accepted',
      eventId: 'scan_1',
    });
    expect(desk.readReport(422, null).fault).toBe('not_a_card');
    expect(desk.readReport(422, { error_code: 'item_here' }).fault).toBe('item_here');
    expect(desk.readReport(502, null)).toMatchObject({ kind: 'stop', fault: 'refused' });
    expect(desk.readReport(401, null).fault).toBe('session');
    for (const status of [400, 403, 404, 415]) {
      expect(desk.readReport(status, null)).toEqual({ kind: 'stop', fault: 'forbidden' });
    }
    for (const status of [0, 202, 429, 500, 503]) {
      expect(desk.readReport(status, null)).toEqual({ kind: 'again', fault: 'unreachable', isUnsure: true });
    }
  });

  test('a report without an id may have been taken, unless it is said that it was not', () => {
    for (const code of ['not_configured', 'receiver_busy', 'receiver_refused']) {
      expect(desk.readReport(503, { error_code: code }).isUnsure).toBe(false);
    }
    expect(desk.readReport(502, { error_code: 'receiver_refused' }).isUnsure).toBe(false);
    expect(desk.readReport(502, null).isUnsure).toBe(true);
    for (const code of ['receiver_unreachable', 'internal_server_error']) {
      expect(desk.readReport(500, { error_code: code }).isUnsure).toBe(true);
    }
    expect(desk.readReport(503, { error_code: 'receiver_busy', event_id: 'scan_1' })).toMatchObject({
      eventId: 'scan_1',
      isUnsure: false,
    });
  });

  test('a report that was coalesced with an earlier one says so', () => {
    expect(desk.readReport(202, { event_id: 'scan_1', joined: true }).isCoalesced).toBe(true);
    expect(desk.readReport(202, { event_id: 'scan_1', duplicate: true }).isCoalesced).toBe(false);
  });

  test('a report that nobody answered names its event, which may have been taken', () => {
    expect(desk.readReport(503, { event_id: 'scan_1' })).toMatchObject({ kind: 'again', eventId: 'scan_1' });
  });

  test('answers to a cancel are distinguished: taken, unknown, try again, no use', () => {
    const answer = { event_id: 'scan_1', result: 'PENDING', state: { state: 'working' } };
    expect(desk.readCancel(200, answer)).toEqual({
      kind: 'cancelled',
      result: 'PENDING',
      state: { state: 'working' },
    });
    expect(desk.readCancel(404, null)).toEqual({ kind: 'unknown' });
    expect(desk.readCancel(404, { error_code: 'not_found' })).toEqual({ kind: 'unknown' });
    expect(desk.readCancel(404, { error_code: 'not_seen' })).toEqual({ kind: 'unseen' });
    expect(desk.readCancel(404, { error_code: 'not_kept' })).toEqual({ kind: 'forgotten' });
    for (const status of [400, 401, 403, 415, 422, 502]) {
      expect(desk.readCancel(status, null)).toEqual({ kind: 'stop' });
    }
    for (const status of [0, 200, 500, 503]) {
      expect(desk.readCancel(status, null)).toEqual({ kind: 'again' });
    }
  });

  test('answers about a scan are distinguished: known, lost, try again, no use', () => {
    expect(desk.readState(200, { state: 'done' })).toEqual({ kind: 'state', state: { state: 'done' } });
    expect(desk.readState(404, null)).toEqual({ kind: 'lost' });
    expect(desk.readState(401, null)).toEqual({ kind: 'stop', fault: 'session' });
    for (const status of [0, 200, 500, 503]) {
      expect(desk.readState(status, null)).toEqual({ kind: 'again', fault: 'koha' });
    }
  });

  test('a web worker is polled and a report repeated at ever longer intervals, for as long as the page is open', () => {
    const pauses = [0, 5000, 30_000, 120_000, 3_600_000].map((ms) => desk.nextPollMs(ms));
    expect(pauses).toEqual([...pauses].sort((one, other) => one - other));
    expect(pauses[0]).toBeLessThanOrEqual(500);
    expect(pauses[4]).toBe(30_000);
    const repeats = [0, 1, 2, 3, 4, 5, 500].map((faults) => desk.nextReportMs(faults));
    expect(repeats).toEqual([1000, 2000, 4000, 8000, 15_000, 30_000, 30_000]);
    expect(desk.nextReportMs(0, 3)).toBe(3000);
    expect(desk.nextReportMs(0, 3600)).toBe(60_000);
    const cancels = [0, 1, 2, 3, 4].map((faults) => desk.nextCancelMs(faults));
    expect(cancels).toEqual([1000, 2000, 4000, 8000, undefined]);
  });
});

describe('registering the patron instead', () => {
  const toolbar = (links: Readonly<Record<string, string>>): object => ({
    querySelectorAll: (selector: string) =>
      selector === '#new-patron-button a[href*="/members/memberentry.pl?op=add"]'
        ? Object.entries(links).map(([textContent, href]) => ({ textContent, getAttribute: () => href }))
        : [],
  });

  test("Koha's own links are taken, with the card where no server sees it", () => {
    const href = '/cgi-bin/koha/members/memberentry.pl?op=add_form&categorycode=AD';
    expect(desk.registrations(toolbar({ ' Adult ': href }), 'a b#1')).toEqual([
      { label: 'Adult', address: `${href}&destination=circ#passport-card=a%20b%231` },
    ]);
    expect(desk.registrations(toolbar({}), CARD)).toEqual([]);
  });

  test('the form takes the card from the address, on that page only', () => {
    const at = (pathname: string, hash: string): string | null => desk.cardToRegister({ pathname, hash });
    const form = '/cgi-bin/koha/members/memberentry.pl';
    expect(at(form, '#passport-card=a%20b%231')).toBe('a b#1');
    expect(at(form, '#passport-card=')).toBeNull();
    expect(at(form, '#passport-card=%')).toBeNull();
    expect(at(form, '#memberentry')).toBeNull();
    expect(at('/cgi-bin/koha/members/member.pl', '#passport-card=1')).toBeNull();
  });
});
