import { stderr } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desks } from '../harness/start-desk.ts';

const IS_NIGHT = process.env['NIGHTLY'] === '1';
const TRIES = IS_NIGHT ? 200 : 20;
/** What the partners' cards look like. */
const PATTERNS = [String.raw`^21234\d{9}$`, String.raw`^29012\d{9}$`];
/** A scanner sends a key each few milliseconds. */
const SCANNER = { delay: 4 };
/** In each page: which keys have reached it. */
const TELL_KEYS = `addEventListener('keydown', ({ key }) => console.debug('key ' + key), true)`;

const found = findChromium();
if (found === null) stderr.write('Skipped: two cards at once (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('two cards within one second at one desk', () => {
  let desks: Desks;
  beforeAll(async () => {
    desks = await startDesks();
    desks.configure({ patterns: PATTERNS, staffWaitMs: 300 });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);

  /**
   * Scans both, and an item for the second, without a look at the page; `pauseMs` lies between. Returns what is wrong with what came of it, which
   * cards have to be scanned again, and are, and whether no key of the second came (`isUnseen`): a browser that is busy loses keys between two pages, and
   * nobody can demand that it does not.
   */
  async function serveBoth(pauseMs: number) {
    const { midland, riverside } = desks.consortium.doubles;
    const [first, second] = [registerPatron(midland), registerPatron(midland)];
    const book = shelveBook(riverside);
    const desk = await desks.openDesk();
    const { keyboard } = desk.page;
    const cards: string[] = [];
    const numbers: string[] = [];
    desk.page.on('request', (request) => {
      const { pathname, searchParams: query } = new URL(request.url());
      if (pathname.endsWith('/contrib/passport/scans')) cards.push(cardOf(request.postData() ?? '{}'));
      if (!request.isNavigationRequest()) return;
      cards.push(query.get('findborrower') ?? '', query.get('searchmember') ?? '');
      numbers.push(query.get('borrowernumber') ?? '');
    });
    let arrived = '';
    await desk.page.addInitScript(TELL_KEYS);
    desk.page.on('console', (message) => {
      const [, key] = /^key (.|Enter)$/.exec(message.text()) ?? [];
      arrived += key === 'Enter' ? '\n' : (key ?? '');
    });
    const scan = async (code: string) => {
      await keyboard.type(code, SCANNER);
      await keyboard.press('Enter');
    };
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    await scan(first);
    await keyboard.press('Shift', { delay: pauseMs });
    await scan(second);
    await keyboard.press('Shift', { delay: pauseMs / 3 });
    await scan(book);

    const numberOf = (card: string) => riverside.state(card).patrons[0]?.patron_id;
    // whose page this is not is one click away
    const isServed = async (card: string): Promise<boolean> => {
      const number = await waitFor(card, () => numberOf(card) ?? false, { timeoutMs: 5_000 });
      const opened = desk.page.locator(`#mainform [name="borrowernumber"][value="${number}"]`);
      const offered = desk.scans.or(desk.panel).locator(`a[href$="borrowernumber=${number}"]:visible`);
      await opened.or(offered).first().waitFor({ state: 'attached', timeout: 8_000 });
      return true;
    };
    const areServed = (codes: readonly string[]) =>
      Promise.all(codes.map((card) => isServed(card).catch(() => false)));
    const served = await areServed([first, second]);
    const left = [first, second].filter((_card, place) => served[place] === false);
    for (const card of left) await scan(card);
    const leftAgain = (await areServed(left)).filter((each) => !each);
    await desk.close();
    // of what no key came, nobody can know
    const hasCome = !`${book}\n`.endsWith(arrived.slice(arrived.indexOf('\n') + 1));
    const known = [first, second].map((card) => String(numberOf(card)));
    const others = cards.filter((card) => looksLikeCard(card) && card !== first && card !== second);
    return {
      isUnseen: !hasCome,
      wrong: [
        ...leftAgain.map(() => 'a card that was scanned again is not served'),
        ...(hasCome && riverside.state(first).checkouts.length > 0
          ? ['the item is on the first patron']
          : []),
        ...others.map(() => 'the card of somebody else is looked for'),
        ...numbers
          .filter((number) => number !== '' && !known.includes(number))
          .map(() => 'the page of somebody else is opened'),
      ],
      again: ['first', 'second'].filter((_card, place) => served[place] === false),
    };
  }

  test.each([
    ['at once, and the checkout of the first opens', 0],
    ['after the page of the first is there', 200],
  ])(
    `${TRIES / 2} tries where the home answers %s: both are served, no item is on the wrong patron, and nobody else’s card is opened`,
    async (when, ms) => {
      await desks.toMidland.setMode({ kind: 'delay', ms });
      const [wrong, again]: [string[], string[]] = [[], []];
      let unseen = 0;
      const pauses = Array.from({ length: TRIES / 2 }, (_, run) => Math.round((run * 2_000) / TRIES));
      const serveAll = async () => {
        for (let pauseMs = pauses.shift(); pauseMs !== undefined; pauseMs = pauses.shift()) {
          const result = await serveBoth(pauseMs);
          wrong.push(...result.wrong.map((fault) => `after ${pauseMs} ms: ${fault}`));
          again.push(...result.again);
          if (result.isUnseen) unseen += 1;
        }
      };
      await Promise.all([serveAll(), serveAll()]);
      const count = (card: string) => again.filter((each) => each === card).length;
      stderr.write(
        `Two cards, ${when}: of ${TRIES / 2} each, ${count('first')} first and ${count('second')} second cards are scanned again; of ${unseen} second cards no key came\n`,
      );
      expect(wrong).toEqual([]);
    },
    IS_NIGHT ? 600_000 : 120_000,
  );
});

const looksLikeCard = (code: string): boolean =>
  PATTERNS.some((pattern) => new RegExp(pattern, 'u').test(code));
const cardOf = (sent: string): string => (JSON.parse(sent) as { cardnumber?: string }).cardnumber ?? '';
