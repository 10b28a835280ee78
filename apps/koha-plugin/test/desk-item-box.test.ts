import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadDesk, loadItemBox } from './load-desk.ts';

const { completeCard, wholeCode } = await loadDesk();
// the page is as old as this
const { guardItemBox } = await loadItemBox();
const LOADED_MS = Date.now();
const PATTERNS = [String.raw`^21234\d{9}$`, String.raw`^29012\d{9}$`];
const [CARD, BOOK] = ['21234000000017', '39999000012345'];

describe('a code whose first keys were lost between two pages', () => {
  test.each([
    ['as it is, where it is whole', CARD, CARD],
    ['the one card that ends so', '234000000017', CARD],
    ['the one card, by one key of its beginning', '2000000017', '29012000000017'],
    ['nobody knows which, with no key of its beginning', '000000017', null],
    ['nobody knows which, where more is lost', '00000017', null],
    ['as it is, of an item', BOOK.slice(1), BOOK.slice(1)],
    ['nothing of nothing', '', ''],
  ])('is %s', (_what, code, card) => {
    expect(completeCard(code, PATTERNS)).toBe(card);
  });

  test.each([
    ['M1234567 without M12, of any length', '34567', [String.raw`^M\d+$`]],
    ['M1234567 without M12, of some lengths', '34567', [String.raw`^M\d{5,8}$`]],
    ['M1234567 without M, which another library has', '1234567', [String.raw`^M\d{7}$`, String.raw`^\d{7}$`]],
    ['12345678 without 1, which its own library has', '2345678', [String.raw`^\d{5,8}$`]],
    ['an ISBN, where the cards begin with one key', '9780306406157', [String.raw`^2\d{13}$`]],
    ['any nine digits', '000000017', [String.raw`^21234\d{9}$`]],
    ['what two libraries have', '34000000017', [String.raw`^21234\d{9}$`, String.raw`^99934\d{9}$`]],
    ['a card of other keys', '-1234', [String.raw`^[AB] ?\-\d{4}$`]],
    [
      'P-123456 without P-, which its own library has',
      '123456',
      [String.raw`^P-(\d{6})$`, String.raw`^\d{6}$`],
    ],
    ['one of two forms', '12345', [String.raw`^(?:A(\d{5})|B\d{5})$`, String.raw`^\d{5}$`]],
    ['cards that need not have a beginning', '1234000000017', [String.raw`^2?\d{13,14}$`]],
  ])('is never guessed at: %s', (_what, code, patterns) => {
    expect(completeCard(code, patterns)).toBeNull();
  });

  test.each(['21234\\d{9}$', '^(21234)?\\d{9}$', '^(?=.*[0-9])[0-9A-Z]{4,32}$', '('])(
    'stays as it is where %s says nothing of how a card begins',
    (pattern) => {
      expect(completeCard('1234000000017', [pattern])).toBe('1234000000017');
    },
  );

  test('a pattern with groups is one of parts, too', () => {
    expect(completeCard('34000000017', [String.raw`^(21234)(?<rest>\d{9})$`])).toBe(CARD);
    expect(completeCard('(17)', [String.raw`^A\(\d\d\)$`])).toBe('(17)');
  });

  test('one pattern that two libraries have is one', () => {
    expect(completeCard('34000000017', [...PATTERNS, ...PATTERNS])).toBe(CARD);
  });

  const NOTHING = { isItem: false, isPatron: false };
  test.each([
    ['the card, where nobody and nothing here has it', '234000000017', NOTHING, CARD],
    ['an item that has it', '234000000017', { ...NOTHING, isItem: true }, '234000000017'],
    ['scanned again, where somebody else here has it', '234000000017', { ...NOTHING, isPatron: true }, null],
    ['scanned again, where Koha does not say', '234000000017', null, null],
    ['scanned again, where it may be half a card', '000000017', NOTHING, null],
    [
      'who has it here, with no key of the beginning',
      '000000017',
      { ...NOTHING, isPatron: true },
      '000000017',
    ],
    ['as it is, of a whole card', CARD, null, CARD],
  ])('comes to %s', (_what, code, is, whole) => {
    expect(wholeCode(code, is, PATTERNS)).toBe(whole);
  });
});

describe("what is scanned into the box for items of Koha's checkout", () => {
  const before: Record<string, unknown> = {};
  let submit: (event: object) => void = () => undefined;
  let leave: () => void = () => undefined;
  let answers: { readonly is_item: boolean; readonly is_patron: boolean }[] = [];
  let read: string[] = [];
  let done: string[] = [];
  const kept = new Map<string, string>();
  /** What the window's list has. */
  const rows = () => JSON.parse(kept.get('passport-scans') ?? '[]') as unknown[];
  let isHeld = false;
  let press: (event: object) => void = () => undefined;
  let nowMs = 0;
  let made: ReturnType<typeof anElement>[] = [];
  function anElement() {
    let click: () => void = () => undefined;
    return {
      hidden: false,
      textContent: '',
      setAttribute(this: { hidden: boolean }, name: string) {
        if (name === 'hidden') this.hidden = true;
      },
      append: () => undefined,
      addEventListener: (_name: string, listener: () => void) => (click = listener),
      click: () => click(),
    };
  }
  /** What is said, the two answers, and the question around them: in this order they are made. */
  const [SAID, AS_ITEM, AS_CARD, QUESTION, HELD] = [0, 1, 2, 3, 7];
  const says = () => (made[SAID]?.hidden === true ? null : made[SAID]?.textContent);
  const isAsked = () => made[QUESTION]?.hidden === false;
  const form = { before: () => undefined, requestSubmit: () => void done.push(`koha gets ${box.value}`) };
  const box = { form, value: '', select: () => undefined, focus: () => undefined };

  beforeEach(() => {
    [answers, read, done, made, nowMs, isHeld] = [[], [], [], [], LOADED_MS + 60_000, false];
    kept.clear();
    const page: Record<string, unknown> = {
      window: {
        addEventListener: (name: string, listener: typeof submit) => {
          if (name === 'submit') submit = listener;
          else if (name === 'keydown') press = listener;
          else leave = () => listener({});
        },
      },
      document: {
        querySelector: () => null,
        createElement: () => made[made.push(anElement()) - 1],
        referrer: '',
      },
      location: { search: '?findborrower=1' },
      history: { state: null, replaceState: () => undefined },
      sessionStorage: {
        getItem: (key: string) => kept.get(key) ?? null,
        setItem: (key: string, value: string) => void kept.set(key, value),
        removeItem: (key: string) => void kept.delete(key),
      },
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
        isItemHeld: () => isHeld,
        release: () => void (isHeld = false),
        follow: (code: string) => void done.push(`follow ${code}`),
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
  const ITEM = { is_item: true, is_patron: false };
  const BOTH = { is_item: true, is_patron: true };

  test('an item goes to Koha once it is known to be one', async () => {
    guard();
    answers = [ITEM];
    expect(scan(BOOK)).toBe(false);
    await settle();
    expect([read, done]).toEqual([[BOOK], [`koha gets ${BOOK}`]]);
  });

  test.each([false, true])(
    'the card of a patron here opens their page, whatever it looks like',
    async (anyCard) => {
      guard({ anyCard });
      answers = [{ is_item: false, is_patron: true }];
      scan('R001');
      await settle();
      expect(done).toEqual(['open R001']);
    },
  );

  test('what looks like no card goes on to Koha where Koha did not say what it is, or knows nothing of it', async () => {
    for (const answered of [undefined, NOBODY]) {
      guard();
      answers = answered === undefined ? [] : [answered];
      scan(BOOK);
      await settle();
    }
    expect(done).toEqual([`koha gets ${BOOK}`, `koha gets ${BOOK}`]);
  });

  test('after an item that was held back, none is taken until somebody says that it is for this patron', async () => {
    isHeld = true;
    guard();
    const notice = made[HELD];
    answers = [ITEM];
    scan(BOOK);
    await settle();
    expect([notice?.hidden, says(), done]).toEqual([false, 'item.left', []]);
    const key = { code: 'Digit1', altKey: true, preventDefault: () => undefined };
    for (const other of [{ altKey: false }, { ctrlKey: true }, { code: 'Numpad1' }, { repeat: true }])
      press({ ...key, ...other });
    expect(isHeld).toBe(true);
    press(key);
    answers = [ITEM];
    scan(BOOK);
    await settle();
    expect([notice?.hidden, isHeld, done]).toEqual([true, false, [`koha gets ${BOOK}`]]);
  });

  test('codes that come while one is read are read after it; once Koha has an item, they are listed', async () => {
    guard();
    answers = [BOTH, ITEM];
    scan('39999');
    scan(BOOK);
    scan('40000');
    await settle();
    await settle();
    expect([read, says(), done, rows()]).toEqual([['39999', BOOK, '40000'], 'code.unread', [], []]);
    kept.clear();
    guard();
    answers = [ITEM, ITEM];
    scan(BOOK);
    scan('39999');
    await settle();
    leave();
    expect(done).toEqual([`koha gets ${BOOK}`]);
    expect(rows()).toMatchObject([{ lost: 'code' }]);
  });

  test('a checkout that got an item is not one that was left', async () => {
    guard();
    answers = [ITEM];
    scan(BOOK);
    await settle();
    guard();
    answers = [NOBODY];
    scan(CARD);
    await settle();
    expect([done.at(-1), rows()]).toEqual([`open ${CARD}`, []]);
  });

  test('the next card opens its own page, and an item that comes before that is there is its patron’s', async () => {
    guard();
    answers = [NOBODY];
    expect([scan(CARD), scan(BOOK)]).toEqual([false, false]);
    await settle();
    expect(scan(BOOK)).toBe(false);
    expect(done).toEqual([`open ${CARD}`, `follow ${BOOK}`, `follow ${BOOK}`]);
    expect(rows()).toMatchObject([{ patronId: 7 }]);
    expect([...kept.values()].join()).not.toContain(BOOK);
  });

  test('what looks like a card and an item here has goes on to Koha', async () => {
    guard();
    answers = [ITEM];
    expect(scan(CARD)).toBe(false);
    await settle();
    expect(done).toEqual([`koha gets ${CARD}`]);
  });

  test('what Koha does not answer for may be the next card: nothing goes to Koha until it is scanned again and read', async () => {
    guard();
    scan(CARD);
    await settle();
    expect([says(), done]).toEqual(['code.unread', []]);
    answers = [ITEM];
    expect(scan(BOOK)).toBe(false);
    await settle();
    expect([says(), done]).toEqual(['code.doubtful', []]);
    answers = [NOBODY];
    scan(CARD);
    await settle();
    expect([read, done]).toEqual([[CARD, BOOK, CARD], [`open ${CARD}`]]);
  });

  test('a page that is left while a code is read, or before it is read again, says so to the next one', async () => {
    guard();
    scan(CARD);
    leave();
    expect(rows()).toMatchObject([{ lost: 'code' }]);
    kept.clear();
    await settle();
    expect(says()).toBe('code.unread');
    leave();
    expect(rows()).toMatchObject([{ lost: 'code' }]);
    kept.clear();
    answers = [ITEM];
    scan(CARD);
    await settle();
    leave();
    expect(rows()).toEqual([]);
  });

  test('an item that Koha did not answer for goes on to it once it is scanned again and read', async () => {
    nowMs -= 60_000;
    guard();
    scan(BOOK);
    await settle();
    expect([says(), done]).toEqual(['code.unread', []]);
    nowMs += 60_000;
    answers = [ITEM];
    scan(BOOK);
    await settle();
    expect([says(), done]).toEqual([null, [`koha gets ${BOOK}`]]);
  });

  test('what is an item and a patron here is asked, and nothing is taken until somebody has said it', async () => {
    guard();
    answers = [BOTH, ITEM];
    scan(CARD);
    await settle();
    expect([isAsked(), done]).toEqual([true, []]);
    scan(BOOK);
    await settle();
    expect([says(), done]).toEqual(['code.doubtful', []]);
    answers = [BOTH];
    scan(CARD);
    await settle();
    made[AS_CARD]?.click();
    expect([isAsked(), done]).toEqual([false, [`open ${CARD}`]]);
  });

  test('what somebody says is an item goes on to Koha', async () => {
    guard();
    answers = [BOTH];
    scan(CARD);
    await settle();
    made[AS_ITEM]?.click();
    expect([isAsked(), done]).toEqual([false, [`koha gets ${CARD}`]]);
  });

  test('the same card again while it is read is that one', async () => {
    guard();
    answers = [NOBODY];
    scan(CARD);
    scan(CARD);
    await settle();
    expect(done).toEqual([`open ${CARD}`]);
    expect(rows()).toMatchObject([{ patronId: 7 }]);
  });

  test('an answer that comes after the next card is nobody’s', async () => {
    guard();
    let answerFirst: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (answerFirst = resolve));
    const { fetch: asked } = globalThis;
    Object.assign(globalThis, { fetch: (path: string, sent: object) => late.then(() => asked(path, sent)) });
    answers = [NOBODY];
    scan(CARD);
    scan('21234000000025');
    answerFirst();
    await settle();
    expect(done).toEqual(['open 21234000000025']);
    expect(rows()).toMatchObject([{ lost: 'card' }]);
  });

  test('as the page comes, a card without its first keys is one, too, and the checkout that was left is noted', async () => {
    nowMs -= 60_000;
    guard();
    answers = [NOBODY];
    scan(CARD.slice(2));
    await settle();
    expect([read, done]).toEqual([[CARD.slice(2)], [`open ${CARD}`]]);
    expect(rows()).toMatchObject([{ patronId: 7 }]);
  });

  test('as the page comes, what is neither may be half of a card: no item is taken until a card is scanned', async () => {
    nowMs -= 60_000;
    guard();
    answers = [NOBODY, ITEM, NOBODY];
    expect(scan('00017')).toBe(false);
    await settle();
    expect(says()).toBe('code.neither');
    nowMs += 60_000;
    expect(scan(BOOK)).toBe(false);
    await settle();
    expect([says(), done]).toEqual(['code.doubtful', []]);
    scan(CARD);
    await settle();
    expect([read, done]).toEqual([['00017', BOOK, CARD], [`open ${CARD}`]]);
  });

  test('as the page comes, whose card ends so here is not who was meant', async () => {
    nowMs -= 60_000;
    guard();
    answers = [{ is_item: false, is_patron: true }];
    scan(CARD.slice(2));
    await settle();
    expect([says(), done]).toEqual(['code.neither', []]);
  });

  test('as the page comes, an Enter alone is Koha’s: it prints the slip, and the next item is not doubtful', async () => {
    nowMs -= 60_000;
    guard();
    box.value = '';
    expect([scan(''), says()]).toEqual([true, null]);
    nowMs += 60_000;
    answers = [ITEM];
    scan(BOOK);
    await settle();
    expect(done).toEqual([`koha gets ${BOOK}`]);
  });

  test('a barcode that nobody knows goes on to Koha, which may catalogue it, once it was scanned again', async () => {
    nowMs -= 60_000;
    guard();
    answers = [NOBODY, NOBODY, NOBODY];
    scan('39999');
    await settle();
    // still as the page comes: nobody knows what was lost
    scan('39999');
    await settle();
    expect([says(), done]).toEqual(['code.neither', []]);
    nowMs += 60_000;
    scan('39999');
    await settle();
    expect([says(), done]).toEqual([null, ['koha gets 39999']]);
  });

  test('without patterns, what nobody here has is a card only as the page comes', async () => {
    guard({ anyCard: true });
    answers = [NOBODY];
    scan(CARD);
    await settle();
    expect(done).toEqual([`koha gets ${CARD}`]);
    nowMs -= 60_000;
    answers = [NOBODY];
    scan(CARD);
    await settle();
    expect(done.at(-1)).toBe(`open ${CARD}`);
  });
});
