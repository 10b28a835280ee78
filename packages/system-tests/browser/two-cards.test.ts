import { stderr } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium, waitFor } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desks } from '../harness/start-desk.ts';

const TRIES = process.env['NIGHTLY'] === '1' ? 200 : 12;
/** What the partners' cards look like. */
const PATTERNS = [String.raw`^21234\d{9}$`, String.raw`^29012\d{9}$`];
/** A scanner sends a key each few milliseconds. */
const SCANNER = { delay: 4 };

const found = findChromium();
if (found === null) stderr.write('Skipped: two cards at once (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('two cards within one second at one desk', () => {
  let desks: Desks;
  beforeAll(async () => {
    desks = await startDesks();
    desks.configure({ patterns: PATTERNS, staffWaitMs: 300 });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);

  /** Scans both, and an item for the second, without a look at the page; `pauseMs` lies between. Returns what is wrong with what came of it. */
  async function serveBoth(pauseMs: number): Promise<string[]> {
    const { midland, riverside } = desks.consortium.doubles;
    const [first, second] = [registerPatron(midland), registerPatron(midland)];
    const book = shelveBook(riverside);
    const desk = await desks.openDesk();
    const { keyboard } = desk.page;
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

    const isHere = (card: string) => riverside.state(card).patrons.length === 1;
    const missing = await Promise.all(
      Object.entries({ first, second }).map(([name, card]) =>
        waitFor(name, () => isHere(card), { timeoutMs: 5_000 }).then(
          () => [],
          () => [`the ${name} was not served`],
        ),
      ),
    );
    const wrong = riverside.state(first).checkouts.length > 0 ? ['the item is on the first patron'] : [];
    // whose page this is not is one click away
    const shown = await Promise.all(
      Object.values({ first, second }).map((card) => {
        const number = riverside.state(card).patrons[0]?.patron_id ?? 0;
        const address = `borrowernumber=${number}`;
        const opened = desk.page.locator(`#mainform [name="borrowernumber"][value="${number}"]`);
        const listed = desk.scans.locator(`a[href$="${address}"]`);
        return opened
          .or(listed)
          .first()
          .waitFor({ state: 'attached', timeout: 8_000 })
          .then(
            () => [],
            () => [`the checkout of ${card === first ? 'the first' : 'the second'} is not offered`],
          );
      }),
    );
    await desk.close();
    return [...missing, ...shown].flat().concat(wrong);
  }

  test.each([
    ['at once, and the checkout of the first opens', 0],
    ['after the page of the first is there', 200],
  ])(
    `${TRIES / 2} tries where the home answers %s: both are served, and no item is on the wrong patron`,
    async (_when, ms) => {
      await desks.toMidland.setMode({ kind: 'delay', ms });
      const faults: string[] = [];
      const pauses = Array.from({ length: TRIES / 2 }, (_, run) => Math.round((run * 2_000) / TRIES));
      const serveAll = async () => {
        for (let pauseMs = pauses.shift(); pauseMs !== undefined; pauseMs = pauses.shift())
          for (const fault of await serveBoth(pauseMs)) faults.push(`after ${pauseMs} ms: ${fault}`);
      };
      await Promise.all([serveAll(), serveAll()]);
      expect(faults).toEqual([]);
    },
    300_000,
  );
});
