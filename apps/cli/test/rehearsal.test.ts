import { describe, expect, test } from '@jest/globals';
import type { KohaPatron } from '@passport/koha-client';
import { isOurs } from '../src/commands/rehearse/clean-up.ts';
import { compareAnswers, releaseFor } from '../src/commands/rehearse/compare-answers.ts';
import { printRehearsal } from '../src/commands/rehearse/describe-rehearsal.ts';
import type { JournalEntry } from '../src/commands/rehearse/journal.ts';
import { renderPage } from '../src/commands/rehearse/rehearsal-page.ts';
import { type Rehearsal, timesOf } from '../src/commands/rehearse/result.ts';
import type { Site } from '../src/commands/rehearse/site.ts';
import { buildStage, type Stage } from '../src/commands/rehearse/stage.ts';
import { buildReport, createPrinter } from '../src/program/printed-text.ts';
import { consortiumOf, passport } from './run-cli.ts';

const RUN = 'BCDFGHJ';
const at = (id: string): Pick<Site, 'library'> =>
  ({ library: { id, copy: { passportAttribute: 'PASSPORTED' } } }) as unknown as Pick<Site, 'library'>;
const JOURNAL: readonly JournalEntry[] = [
  { kind: 'patron', library: 'midland', card: '21234000000001', category: 'REHEARSAL' },
];
const patron = (change: Partial<KohaPatron> = {}): KohaPatron =>
  ({
    cardnumber: '21234000000001',
    surname: 'Rehearsal-BCDFGHJ',
    firstname: 'Copied',
    categoryId: 'REHEARSAL',
    attributes: [],
    ...change,
  }) as unknown as KohaPatron;
const copy = (home: string): KohaPatron =>
  patron({ categoryId: 'PT', attributes: [{ type: 'PASSPORTED', value: home, id: 1 }] });

describe('a patron is taken for one of the rehearsal', () => {
  test.each<[string, string, KohaPatron, boolean]>([
    ['made at home', 'midland', patron(), true],
    ['whose surname Koha has capitalised', 'midland', patron({ surname: 'REHEARSAL-BCDFGHJ' }), true],
    ['whose card a plugin has prefixed', 'midland', patron({ cardnumber: 'X-21234000000001' }), true],
    ['the copy of one', 'riverside', copy('midland'), true],
    ['with another card', 'midland', patron({ cardnumber: '21234000000002' }), false],
    ['without a card', 'midland', patron({ cardnumber: null }), false],
    ['of another run', 'midland', patron({ surname: 'Rehearsal-KLMNPQR' }), false],
    ['of another name', 'midland', patron({ surname: 'Okafor' }), false],
    ['in another category', 'midland', patron({ categoryId: 'AD' }), false],
    ['made at another library', 'riverside', patron(), false],
    ['a copy of another home library', 'riverside', copy('lakeside'), false],
    [
      'without a surname, but with the mark',
      'midland',
      patron({ surname: null, firstname: 'Rehearsal-BCDFGHJ' }),
      true,
    ],
    ['without a surname', 'midland', patron({ surname: null }), false],
  ])('%s', (_who, library, who, isIt) => {
    expect(isOurs(who, at(library), RUN, JOURNAL)).toBe(isIt);
  });
});

describe('whom a Koha says it has made', () => {
  const CARD = '21234000000001';
  /** Makes somebody at a Koha that answers the number 7, and shows `who` by the card. */
  const make = (who: KohaPatron, change: Parameters<Stage['makeActor']>[2] = {}) => {
    const koha = {
      createPatron: () => Promise.resolve({ kind: 'created', patronId: 7, hidden: false }),
      findByCard: (card: string) => Promise.resolve(card === CARD ? [who] : []),
    };
    const site = { ...at('midland'), koha, branch: 'M' };
    const journal = { note: () => Promise.resolve() };
    const parts = { run: RUN, lending: site, journal, newCard: () => CARD };
    const stage = buildStage(parts as unknown as Parameters<typeof buildStage>[0]);
    return stage.makeActor(stage.lending, 'Borrower', change);
  };

  test.each<[string, Partial<KohaPatron>, Parameters<Stage['makeActor']>[2]]>([
    ['with the mark and the card', {}, {}],
    ['in another category, as asked', { categoryId: 'CH' }, { category_id: 'CH' }],
    ['without a surname, as asked', { surname: null, firstname: `Rehearsal-${RUN}` }, { surname: null }],
  ])('%s is acted on', async (_who, shown, change) => {
    expect(await make(patron({ patronId: 7, ...shown }), change)).toMatchObject({ patronId: 7, card: CARD });
  });

  test.each<[string, Partial<KohaPatron>]>([
    ['has another number', { patronId: 8 }],
    ['has another name', { surname: 'Okafor' }],
    ['is in another category', { categoryId: 'AD' }],
  ])('is never acted on where whoever has the card %s', async (_who, shown) => {
    await expect(make(patron({ patronId: 7, ...shown }))).rejects.toThrow('nothing is done to it');
  });
});

describe('answers are compared', () => {
  const expected = {
    scenarios: { copy: ['home GET /patrons 200'] },
    parts: { 'GET /patrons 200': { '': 'array', '[]': 'object', '[].a': 'null|number', '[].b': 'null' } },
  };
  const compared = (status: number, parts: Readonly<Record<string, string>>): string[] =>
    compareAnswers(
      [{ scenario: 'copy', answers: [{ side: 'home', operation: 'GET /patrons', status, parts }] }],
      'home',
      expected,
    ).map(({ text }) => text);

  test.each<[string, number, Readonly<Record<string, string>>, string[]]>([
    ['alike', 200, { '': 'array', '[]': 'object', '[].a': 'number', '[].b': 'null' }, []],
    ['another status', 500, {}, ['GET /patrons answers 500, the stand-in 200']],
    [
      'a field that lacks',
      200,
      { '': 'array', '[]': 'object', '[].b': 'null' },
      ['GET /patrons 200 lacks [].a'],
    ],
    [
      'another type',
      200,
      { '': 'array', '[]': 'object', '[].a': 'string', '[].b': 'null' },
      ["GET /patrons 200: [].a is string, the stand-in's number"],
    ],
    [
      'a field that is empty here',
      200,
      { '': 'array', '[]': 'object', '[].a': 'null', '[].b': 'string' },
      [],
    ],
    ['a list without rows', 200, { '': 'array' }, []],
    [
      'a field more',
      200,
      { '': 'array', '[]': 'object', '[].a': 'number', '[].b': 'null', '[].c': 'string' },
      [],
    ],
  ])('%s', (_what, status, parts, differences) => {
    expect(compared(status, parts)).toEqual(differences);
  });

  test.each<[string | null, string, boolean]>([
    ['24.11.05.000', '24.11', true],
    ['25.06.00.003', '24.11', false],
    ['22.11.00.000', '23.11', false],
    [null, '24.11', false],
  ])('of Koha %s with release %s', (version, release, isOwn) => {
    const known = { '23.11': expected, '24.11': expected };
    expect(releaseFor(version, known)).toEqual({ release, isOwn });
  });
});

const REHEARSAL: Rehearsal = {
  version: '1.2.3',
  at: '2026-11-29T10:00:00.000Z',
  run: RUN,
  sites: [
    {
      side: 'lending',
      library: 'riverside',
      koha: '24.11.05.000',
      plugin: '1.0.0',
      comparedWith: '24.11',
      isOwnRelease: true,
    },
  ],
  scenarios: [
    {
      id: 'copy',
      says: 'a card is copied',
      result: 'held',
      differences: [],
      remarks: [],
      why: null,
      scanMs: [120.4],
    },
    {
      id: 'checkout',
      says: 'an item is checked out to the copy, which is a sentence that does not fit into one line',
      result: 'differs',
      differences: ['checkout: expected CHECKED_OUT, was <b>BLOCKED</b> DEBT'],
      remarks: ['a rule was made <i>for</i> it'],
      why: null,
      scanMs: [],
    },
    {
      id: 'two_homes',
      says: 'two',
      result: 'not_tried',
      differences: [],
      remarks: [],
      why: 'it needs a third library',
      scanMs: [],
    },
  ],
  answers: [{ side: 'lending', scenario: null, text: 'GET /checkouts 200 lacks [].note' }],
  times: { scans: timesOf([120.4, 80]), calls: null },
  cleanUp: { removed: 3, leftAlone: ['riverside patron 7'], stuck: [] },
  command: 'passport rehearse --at riverside --home midland --only checkout',
  answered: { scenarios: {}, parts: {} },
};

test('the report fits into 80 columns and names what differs', () => {
  let out = '';
  const write = (text: string): void => void (out += text);
  const printer = createPrinter({
    out: write,
    err: write,
    isTerminal: false,
    randomBytes: (length) => Buffer.alloc(length),
  });
  printRehearsal(REHEARSAL, buildReport(printer, false));
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  for (const part of [
    'DIFFERS',
    'was <b>BLOCKED</b> DEBT',
    '(a rule was made <i>for</i> it)',
    '(it needs a third library)',
    'lacks [].note',
  ])
    expect(out).toContain(part);
  expect(out).toContain('1 held; 1 differ; 1 not tried');
  expect(out).toMatch(/to repeat it: passport rehearse --at riverside --home midland\s+--only checkout/);
});

test('the page loads nothing, runs nothing and shows text as text', () => {
  const page = renderPage(REHEARSAL);
  expect(page).not.toMatch(/<script|<img|<link|src=|href=|<b>/);
  expect(page).toContain('&lt;b&gt;BLOCKED&lt;/b&gt; DEBT');
  expect(page).toContain('a rule was made &lt;i&gt;for&lt;/i&gt; it');
  expect(page).toContain("default-src 'none'");
});

test('times of nothing are none', () => {
  expect(timesOf([])).toBeNull();
  expect(timesOf([3, 1, 2])).toEqual({ count: 3, median: 2, p95: 3, max: 3 });
});

test.each<[string, string[], string]>([
  ['the same library twice', ['--home', 'riverside'], 'must be different libraries'],
  ['cards that are not the home library’s', ['--home', 'midland'], 'give a --card-format'],
  [
    'a format with too few digits',
    ['--home', 'midland', '--card-format', 'AB##'],
    'at least three of them #',
  ],
  ['a SIP user that no field of SIP holds', ['--sip-user', 'kiosk|1'], 'It has a | or a line break'],
  ['an institution that no field of SIP holds', ['--sip-institution', 'A|B'], 'It has a | or a line break'],
])('refuses %s before it calls anybody', async (_what, args, says) => {
  const { code, err } = await passport(['rehearse', '--at', 'riverside', ...args], uncalled());
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) });
});

/** Two libraries that are not there, and a Redis that is not. */
function uncalled(): NodeJS.ProcessEnv {
  const koha = (library: string) => ({
    library,
    url: `https://${library}.test`,
    credentials: {
      clientId: `client-of-${library}`,
      clientSecret: `a secret of ${library}, which nobody guesses`,
    },
  });
  return { ...consortiumOf([koha('riverside'), koha('midland')]), REDIS_URL: 'redis://127.0.0.1:1' };
}

test('says before anybody is called that a page cannot be written, with compose also where it can', async () => {
  const args = ['--home', 'midland', '--card-format', '21234#########', '--page', 'rehearsal.html'];
  const { code, err } = await passport(
    ['rehearse', '--at', 'riverside', ...args],
    { ...uncalled(), PASSPORT_INSTALL: 'compose' },
    {
      writeFile: () => {
        throw Object.assign(new Error('read-only'), { code: 'EROFS' });
      },
    },
  );
  expect({ code, err }).toEqual({
    code: 1,
    err: 'passport: --page: rehearsal.html cannot be written (EROFS): in the container, files are kept below /etc/passport, which is deploy/etc\n',
  });
});
