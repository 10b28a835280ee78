import { stderr } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SeededRandom, findChromium, seededRandom, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

const TRIES = process.env['NIGHTLY'] === '1' ? 40 : 2;
const found = findChromium();
if (found === null) stderr.write('Skipped: two patrons at one desk (no Chromium on the PATH)\n');

type Receiver = 'quick' | 'slow' | 'hung';
interface Visit {
  readonly card: string;
  readonly book: string;
}

/** A visitor and a patron of the library, one after the other, each with one item, at a clerk who looks at the page last. */
(found === null ? describe.skip : describe)('two patrons at one desk, one after the other', () => {
  let desks: Desks;
  beforeAll(async () => {
    desks = await startDesks();
    desks.configure({ staffWaitMs: 300, patterns: [String.raw`^21234\d{9}$`] });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);

  const riverside = () => desks.consortium.doubles.riverside;
  const booksOf = (card: string) =>
    riverside()
      .state(card)
      .checkouts.map((each) => each.external_id);
  const scan = async (desk: Desk, code: string) => {
    await desk.page.keyboard.type(code, { delay: 4 });
    await desk.page.keyboard.press('Enter');
  };

  async function visitBoth(visits: readonly Visit[], receiver: Receiver, random: SeededRandom) {
    const desk = await desks.openDesk();
    await desk.page.route('**/contrib/passport/scans', async (route) => {
      if (receiver !== 'quick') await setTimeout(1_500);
      const answer = receiver === 'hung' ? route.fulfill({ status: 503, json: {} }) : route.continue();
      await answer.catch(() => undefined);
    });
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    const pause = () => setTimeout(random.next() * 2_000);
    for (const { card, book } of visits) {
      await scan(desk, card);
      await pause();
      await scan(desk, book);
      await pause();
    }
    // whose item was not checked out: their card first, then the item, without a look at the page
    const told = desk.scans.getByText('was not checked out');
    await setTimeout(1_000);
    const rows = (await told.allInnerTexts()).join();
    for (const { card, book } of random.next() < 0.5 ? visits : visits.toReversed()) {
      if (!rows.includes(card.slice(-4))) continue;
      await scan(desk, card);
      await pause();
      await scan(desk, book);
    }
    await setTimeout(1_000);
    await desk.close();
  }

  /** The card first, then the item, as every row says, with a look at the page. */
  async function obey({ card, book }: Visit) {
    const desk = await desks.openDesk();
    await desk.scan(card);
    await desk.checkoutOf(card);
    if (!booksOf(card).includes(book)) {
      await desk.page.locator('#mainform #barcode').focus();
      await scan(desk, book);
    }
    await waitFor('the item', () => booksOf(card).includes(book));
    await desk.close();
  }

  test.each(['quick', 'slow', 'hung'] as const)(
    `${TRIES} times with a receiver that is %s: no item is on the other one, and each is lent to who obeys`,
    async (receiver) => {
      for (let seed = 1; seed <= TRIES; seed += 1) {
        const random = seededRandom(seed);
        const visits = [
          { card: registerPatron(desks.consortium.doubles.midland), book: shelveBook(riverside()) },
          { card: registerPatron(riverside(), { prefix: '77' }), book: shelveBook(riverside()) },
        ];
        if (random.next() < 0.5) visits.reverse();
        await visitBoth(visits, receiver, random);
        const wrong = () => visits.flatMap(({ card, book }) => booksOf(card).filter((each) => each !== book));
        expect({ seed, wrong: wrong() }).toEqual({ seed, wrong: [] });
        for (const visit of random.next() < 0.5 ? visits : visits.toReversed()) await obey(visit);
        expect({ seed, wrong: wrong() }).toEqual({ seed, wrong: [] });
      }
    },
    TRIES * 40_000,
  );
});
