import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { loadNextScan, loadNotedScans } from './load-desk.ts';

const { createNextScan } = await loadNextScan();
const { itemIsHeld, noteLost } = await loadNotedScans();
/** The page is as old as this. */
const beganMs = Date.now();
const [FIRST, SECOND, THIRD] = ['21234000000017', '21234000000025', '21234000000033'] as const;
const BOOK = '39999000012345';

/** What the page does, in its order, and what is on its way. */
let done: string[] = [];
let pending: {
  readonly path: string;
  readonly code: string;
  answer(status: number, body?: unknown): void;
}[] = [];
let leave: () => void = () => undefined;
let press: (key: string) => void = () => undefined;
const kept = new Map<string, string>();

/** The parts of a browser that the way to the next page needs. */
function aPage(): Record<string, unknown> {
  return {
    window: {
      addEventListener: (event: string, listener: (event: object) => void) => {
        if (event === 'pagehide') leave = () => listener({});
        if (event === 'keydown') press = (key) => listener({ key });
      },
      stop: () => void done.push('stop'),
    },
    location: { assign: (address: string) => void done.push(address.replace(/^.*=/, 'open ')) },
    document: { querySelector: () => null },
    sessionStorage: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    },
    fetch: (path: string, { body = '{}' }: { readonly body?: string }) =>
      new Promise((resolve) => {
        const { code, cardnumber } = JSON.parse(body) as { code?: string; cardnumber?: string };
        pending.push({
          path: path.replace(/^.*\//, ''),
          code: code ?? cardnumber ?? '',
          answer: (status, answered = null) =>
            resolve({ status, json: () => Promise.resolve(answered), headers: new Headers() }),
        });
      }),
  };
}

const scans = () =>
  JSON.parse(kept.get('passport-scans') ?? '[]') as { readonly id: string; readonly lost?: string }[];
const settle = () => jest.advanceTimersByTimeAsync(0);

async function answer(status: number, body?: unknown): Promise<string> {
  await settle();
  const request = pending.shift();
  request?.answer(status, body);
  await settle();
  return `${request?.path} ${request?.code}`;
}

describe('cards that are scanned before the page of the one before is there', () => {
  const before: Record<string, unknown> = {};
  beforeEach(() => {
    jest.useFakeTimers();
    [done, pending] = [[], []];
    kept.clear();
    for (const [name, value] of Object.entries(aPage())) {
      before[name] = (globalThis as Record<string, unknown>)[name];
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  });
  afterEach(() => {
    jest.useRealTimers();
    Object.assign(globalThis, before);
  });

  const NOBODY = { is_item: false, is_patron: false };
  const open = (nextScan: { open(code: string): Promise<void> }, code: string) => void nextScan.open(code);

  test('a third one does not stop the report of the first', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    await settle();
    open(nextScan, SECOND);
    await settle();
    open(nextScan, THIRD);
    expect(await answer(200, NOBODY)).toBe(`codes ${FIRST}`);
    expect(await answer(202, { event_id: 'scan_1' })).toBe(`scans ${FIRST}`);
    expect(await answer(200, NOBODY)).toBe(`codes ${SECOND}`);
    expect(await answer(202, { event_id: 'scan_2' })).toBe(`scans ${SECOND}`);
    expect(done).toEqual([`open ${FIRST}`, 'stop', `open ${THIRD}`]);
    expect(scans().map(({ id }) => id)).toEqual(['scan_1', 'scan_2']);
  });

  test('the first key of the next one stops the page that comes, which goes on where no card follows', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    await settle();
    press('Shift');
    expect(done).toEqual([`open ${FIRST}`]);
    for (const key of ['2', '1']) {
      press(key);
      await jest.advanceTimersByTimeAsync(900);
    }
    expect(done).toEqual([`open ${FIRST}`, 'stop']);
    await jest.advanceTimersByTimeAsync(100);
    expect(done.at(-1)).toBe(`open ${FIRST}`);
  });

  test('the next one takes the place of the page that its first key has stopped', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    await settle();
    press('2');
    open(nextScan, SECOND);
    await answer(200, NOBODY);
    await answer(202, { event_id: 'scan_1' });
    await jest.advanceTimersByTimeAsync(2000);
    expect(done.filter((each) => each.startsWith('open'))).toEqual([`open ${FIRST}`, `open ${SECOND}`]);
  });

  /** Scans into the box for cards of a page that has just come. Returns whether Koha's own form is sent. */
  function scanEarly(nextScan: { guard(box: object): void }, ...codes: string[]): boolean[] {
    jest.setSystemTime(beganMs);
    let submit: (event: object) => void = () => undefined;
    const form = { addEventListener: (_name: string, listener: typeof submit) => (submit = listener) };
    const box = { form, value: '', select: () => undefined };
    nextScan.guard(box);
    return codes.map((code) => {
      let isSent = true;
      box.value = code;
      submit({ preventDefault: () => (isSent = false) });
      return isSent;
    });
  }
  const LONG = String.raw`^21234\d{9}$`;

  test('the end of a card in the box for cards of a page that has just come is that card', async () => {
    expect(scanEarly(createNextScan({ patterns: [LONG] }), FIRST.slice(2))).toEqual([false]);
    await answer(200, NOBODY);
    expect([done, scans()]).toEqual([[`open ${FIRST}`], []]);
  });

  test.each([
    ['what a patron here has', FIRST.slice(2), 200, { is_item: false, is_patron: true }],
    ['what Koha does not answer for', FIRST.slice(2), 503, null],
    ['what may be the end of any card', FIRST.slice(5), 200, NOBODY],
  ])('there, %s is scanned again, and nobody’s page opens', async (_what, code, status, is) => {
    expect(scanEarly(createNextScan({ patterns: [LONG] }), code)).toEqual([false]);
    await answer(status, is);
    expect(done).toEqual([]);
    expect(scans()).toMatchObject([{ lost: 'code' }]);
  });

  test('the card of a page that nobody has looked up yet is reported before the page of the next one opens', async () => {
    const nextScan = createNextScan({ patterns: [LONG] });
    nextScan.after(FIRST);
    expect([nextScan.isOpening(), ...scanEarly(nextScan, SECOND)]).toEqual([false, false]);
    expect(await answer(200, NOBODY)).toBe(`codes ${SECOND}`);
    expect(await answer(200, NOBODY)).toBe(`codes ${FIRST}`);
    await answer(202, { event_id: 'scan_1' });
    expect([done.at(-1), scans()]).toMatchObject([`open ${SECOND}`, [{ id: 'scan_1' }]]);
    const looked = createNextScan({ patterns: [LONG] });
    looked.after(FIRST);
    looked.after(null);
    expect(scanEarly(looked, SECOND)).toEqual([true]);
  });

  test('there, one that comes while the one before is read is the one whose page opens', async () => {
    const nextScan = createNextScan({ patterns: [LONG] });
    expect(scanEarly(nextScan, FIRST.slice(2))).toEqual([false]);
    open(nextScan, SECOND);
    await answer(200, NOBODY);
    expect(done).toEqual([`open ${SECOND}`]);
    expect(scans()).toMatchObject([{ lost: 'code', ends: SECOND.slice(-4) }]);
  });

  test('a report that fails is tried again', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    open(nextScan, SECOND);
    await answer(500);
    await jest.advanceTimersByTimeAsync(300);
    await answer(200, NOBODY);
    await answer(503);
    await jest.advanceTimersByTimeAsync(1000);
    await answer(200, NOBODY);
    await answer(202, { event_id: 'scan_1' });
    expect(scans()).toMatchObject([{ id: 'scan_1' }]);
    expect(done.at(-1)).toBe(`open ${SECOND}`);
  });

  test('one that cannot be reported is noted as such, without the card, and the next page opens', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    open(nextScan, SECOND);
    for (const pauseMs of [300, 1000, 2000, 0]) {
      expect(await answer(500)).toBe(`codes ${FIRST}`);
      await jest.advanceTimersByTimeAsync(pauseMs);
    }
    expect(scans()).toMatchObject([{ lost: 'card' }]);
    expect([...kept.values()].join()).not.toContain(FIRST);
    expect(done.at(-1)).toBe(`open ${SECOND}`);
  });

  test('one whose report is under way when the page is left is noted, too', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    open(nextScan, SECOND);
    await settle();
    leave();
    expect(scans()).toMatchObject([{ lost: 'card' }]);
  });

  /** An item that is scanned while the page of FIRST opens, and what is asked and answered then. */
  async function scanItemAfter(...answers: readonly (readonly [number, unknown?])[]): Promise<string[]> {
    const nextScan = createNextScan({ patterns: [LONG] });
    open(nextScan, FIRST);
    await settle();
    press('3');
    nextScan.follow(BOOK);
    const asked = [];
    for (const each of answers) asked.push(await answer(...each));
    return asked;
  }
  const ITEM = { is_item: true, is_patron: false };

  test('an item that comes before the page of its card is reported with it, and the page goes on', async () => {
    expect(await scanItemAfter([200, ITEM], [200, NOBODY], [202, { event_id: 'scan_1' }])).toEqual([
      `codes ${BOOK}`,
      `codes ${FIRST}`,
      `scans ${FIRST}`,
    ]);
    expect(scans()).toMatchObject([{ id: 'scan_1', withItem: true }]);
    expect(done).toEqual([`open ${FIRST}`, 'stop', `open ${FIRST}`]);
  });

  test.each<[string, string, ...(readonly [number, unknown?])[]]>([
    ['of a patron here', 'item', [200, ITEM], [200, { is_item: false, is_patron: true }]],
    ['of a card that Koha does not answer for', 'item', [200, ITEM], [503]],
    ['that is a patron, too', 'code', [200, { is_item: true, is_patron: true }]],
    ['that Koha does not answer for', 'code', [503]],
    ['that nobody has', 'code', [200, NOBODY]],
    ['that the receiver refuses', 'item', [200, ITEM], [200, NOBODY], [503, { error_code: 'receiver_busy' }]],
    ['of which the receiver says nothing', 'unsure', [200, ITEM], [200, NOBODY], [503]],
  ])(
    'one %s is listed as %s with the end of the card, and the page goes on',
    async (_what, lost, ...answers) => {
      await scanItemAfter(...answers);
      expect(scans()).toMatchObject([{ lost, ends: '0017' }]);
      expect([...kept.values()].join()).not.toContain(FIRST);
      expect([done.at(-1), itemIsHeld()]).toEqual([`open ${FIRST}`, true]);
    },
  );

  test('the next card opens its own page in their place, and what comes after it is for that one', async () => {
    const nextScan = createNextScan({ patterns: [LONG] });
    open(nextScan, FIRST);
    await settle();
    nextScan.follow(SECOND);
    nextScan.follow(BOOK);
    await answer(200, NOBODY);
    expect(await answer(200, NOBODY)).toBe(`codes ${FIRST}`);
    expect(await answer(200, ITEM)).toBe(`codes ${BOOK}`);
    expect(await answer(202, { event_id: 'scan_1' })).toBe(`scans ${FIRST}`);
    expect(await answer(200, NOBODY)).toBe(`codes ${SECOND}`);
    expect(await answer(202, { event_id: 'scan_2' })).toBe(`scans ${SECOND}`);
    expect(done.at(-1)).toBe(`open ${SECOND}`);
    expect(scans()).toMatchObject([
      { id: 'scan_1', withItem: false },
      { id: 'scan_2', withItem: true },
    ]);
  });

  test('a page that is left while a code is read lists that code', async () => {
    await scanItemAfter();
    leave();
    expect(scans()).toMatchObject([{ lost: 'code', ends: '0017' }]);
    await answer(200, ITEM);
    expect(scans()).toHaveLength(1);
  });

  test('an item that was held back is so until a card is scanned on a page that was told', async () => {
    const page = createNextScan({ patterns: [LONG] });
    noteLost('item');
    expect(page.isItemHeld()).toBe(false);
    open(page, FIRST);
    const next = createNextScan({ patterns: [LONG] }, 7);
    expect([next.isItemHeld(), itemIsHeld(7)]).toEqual([true, true]);
    open(next, SECOND);
    expect([next.isItemHeld(), itemIsHeld(7)]).toEqual([false, false]);
  });

  test('what looks like a card opens its own page where Koha does not say what it is, unless all does', async () => {
    const nextScan = createNextScan({ patterns: [LONG] });
    open(nextScan, FIRST);
    await settle();
    nextScan.follow(SECOND);
    await answer(503);
    await answer(200, NOBODY);
    await answer(202, { event_id: 'scan_1' });
    expect([done.at(-1), scans()]).toMatchObject([`open ${SECOND}`, [{ id: 'scan_1' }]]);
    kept.clear();
    const any = createNextScan({ patterns: [], anyCard: true });
    open(any, FIRST);
    await settle();
    any.follow(SECOND);
    await answer(503);
    expect([done.at(-1), scans()]).toMatchObject([`open ${FIRST}`, [{ lost: 'code', ends: '0017' }]]);
  });

  test('the page waits for a code that is followed, whatever else is done with', async () => {
    const nextScan = createNextScan({ patterns: [LONG] });
    open(nextScan, FIRST);
    await settle();
    press('3');
    nextScan.follow(BOOK);
    nextScan.goOn();
    expect(done).toEqual([`open ${FIRST}`, 'stop']);
    await answer(200, ITEM);
    await answer(200, NOBODY);
    await answer(202, { event_id: 'scan_1' });
    expect(done.at(-1)).toBe(`open ${FIRST}`);
  });

  test('what is an item here needs no report', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    open(nextScan, SECOND);
    await answer(200, { is_item: true, is_patron: false });
    expect([pending, scans()]).toEqual([[], []]);
  });

  test('of a patron who is here the checkout is noted, without the card', async () => {
    const nextScan = createNextScan({ patterns: ['^2\\d{13}$'] });
    open(nextScan, FIRST);
    open(nextScan, SECOND);
    await answer(200, { is_item: false, is_patron: true });
    await answer(200, [{ patron_id: 7, cardnumber: FIRST }]);
    expect(scans()).toMatchObject([{ id: 'left 7', patronId: 7 }]);
    expect([...kept.values()].join()).not.toContain(FIRST);
  });
});
