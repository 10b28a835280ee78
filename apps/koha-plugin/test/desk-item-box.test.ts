import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadDesk, loadItemBox } from './load-desk.ts';

const { completeCard } = await loadDesk();
// the page is as old as this
const { guardItemBox } = await loadItemBox();
const PATTERNS = [String.raw`^21234\d{9}$`, String.raw`^29012\d{9}$`];
const [CARD, BOOK] = ['21234000000017', '39999000012345'];

describe('a code whose first keys were lost between two pages', () => {
  test.each([
    ['as it is, where it is whole', CARD, CARD],
    ['the one card that ends so', '234000000017', CARD],
    ['with all that the cards of one pattern have in common', '012000000017', '29012000000017'],
    ['nothing, where two libraries have such a card', '000000017', '000000017'],
    ['nothing, where more is lost', '00000017', '00000017'],
    ['nothing, of an item', BOOK.slice(1), BOOK.slice(1)],
    ['nothing of nothing', '', ''],
  ])('is %s', (_what, code, card) => {
    expect(completeCard(code, PATTERNS)).toBe(card);
  });

  test.each(['^\\d{14}$', '21234\\d{9}$', '^2?\\d{13}$', '^(21234)?\\d{9}$'])(
    'is never guessed at by %s, which says nothing of how a card begins',
    (pattern) => {
      expect(completeCard('1234000000017', [pattern])).toBe('1234000000017');
    },
  );
});

describe("what is scanned into the box for items of Koha's checkout", () => {
  const before: Record<string, unknown> = {};
  let submit: (event: object) => void = () => undefined;
  let answers: { readonly is_item: boolean; readonly is_patron: boolean }[] = [];
  let read: string[] = [];
  let done: string[] = [];
  let noted = '[]';
  let nowMs = 0;
  const said = {
    hidden: true,
    textContent: '',
    className: '',
    setAttribute: () => undefined,
    append: () => undefined,
  };
  const form = { before: () => undefined, requestSubmit: () => void done.push(`koha gets ${box.value}`) };
  const box = { form, value: '', select: () => undefined };

  beforeEach(() => {
    [answers, read, done, noted, nowMs] = [[], [], [], '[]', Date.now() + 60_000];
    const page: Record<string, unknown> = {
      window: { addEventListener: (_name: string, listener: typeof submit) => (submit = listener) },
      document: { querySelector: () => null, createElement: () => said, referrer: '' },
      location: { search: '?findborrower=1' },
      sessionStorage: { getItem: () => noted, setItem: (_key: string, value: string) => (noted = value) },
      fetch: (_path: string, { body }: { readonly body: string }) => {
        read.push((JSON.parse(body) as { code: string }).code);
        const answer = answers.shift();
        const status = answer === undefined ? 500 : 200;
        return Promise.resolve({ status, json: () => Promise.resolve(answer), headers: new Headers() });
      },
    };
    for (const [name, value] of Object.entries(page)) {
      before[name] = (globalThis as Record<string, unknown>)[name];
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    Object.assign(globalThis, before);
  });

  function guard({ anyCard = false } = {}): void {
    let isOpening = false;
    guardItemBox(
      box,
      7,
      (key) => key,
      { patterns: PATTERNS, anyCard },
      {
        isOpening: () => isOpening,
        open: (code: string) => {
          isOpening = true;
          done.push(`open ${code}`);
          return Promise.resolve();
        },
      },
    );
  }
  /** Whether Koha has the form at once. */
  function scan(code: string): boolean {
    let isTaken = false;
    box.value = code;
    const take = () => (isTaken = true);
    submit({ target: form, preventDefault: take, stopImmediatePropagation: () => undefined });
    return !isTaken;
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const NOBODY = { is_item: false, is_patron: false };

  test('an item goes to Koha at once, and nobody is asked', () => {
    guard();
    expect(scan(BOOK)).toBe(true);
    expect(read).toEqual([]);
  });

  test('the next card opens its own page, and an item that comes before that is there is nobody’s', async () => {
    guard();
    answers = [NOBODY];
    expect([scan(CARD), scan(BOOK)]).toEqual([false, false]);
    await settle();
    expect(scan(BOOK)).toBe(false);
    expect(done).toEqual([`open ${CARD}`]);
    expect(JSON.parse(noted)).toMatchObject([{ lost: 'item' }, { patronId: 7 }, { lost: 'item' }]);
    expect(noted).not.toContain(BOOK);
  });

  test.each([
    ['an item here has', [{ is_item: true, is_patron: false }]],
    ['Koha does not answer for', []],
  ])('what looks like a card and %s goes on to Koha', async (_what, answered) => {
    guard();
    answers = [...answered];
    expect(scan(CARD)).toBe(false);
    await settle();
    expect(done).toEqual([`koha gets ${CARD}`]);
  });

  test('as the page comes, a card without its first keys is one, too, and the checkout that was left is noted', async () => {
    nowMs -= 60_000;
    guard();
    answers = [NOBODY];
    scan(CARD.slice(2));
    await settle();
    expect([read, done]).toEqual([[CARD.slice(2)], [`open ${CARD}`]]);
    expect(JSON.parse(noted)).toMatchObject([{ patronId: 7 }]);
  });

  test('as the page comes, what is neither may be half of a card: no item is taken until a card is scanned', async () => {
    nowMs -= 60_000;
    guard();
    answers = [NOBODY, NOBODY];
    expect(scan('00017')).toBe(false);
    await settle();
    expect([said.hidden, said.textContent]).toEqual([false, 'code.neither']);
    nowMs += 60_000;
    expect(scan(BOOK)).toBe(false);
    expect(said.textContent).toBe('code.doubtful');
    scan(CARD);
    await settle();
    expect([read, done]).toEqual([['00017', CARD], [`open ${CARD}`]]);
  });

  test('without patterns only what is scanned as the page comes is asked about', () => {
    guard({ anyCard: true });
    expect(scan(CARD)).toBe(true);
    nowMs -= 60_000;
    answers = [NOBODY];
    expect(scan(CARD)).toBe(false);
  });
});
