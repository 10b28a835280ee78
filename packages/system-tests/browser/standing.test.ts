import { stderr } from 'node:process';
import { REMEMBERED_SOON, findChromium, waitFor } from '@passport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { percentile } from '../fault/percentile.ts';
import { startDesks, type Desk, type DeskOptions, type Desks } from '../harness/start-desk.ts';

/** How long a desk may see what was known before, once its page is there. */
const RED_WITHIN_MS = 2_000;
/** Visits in a row with home in one state; each state has as many in the end, and in turn, so that a slow moment of the machine is in both. */
const VISITS_IN_TURN = 4;
const TURNS = 6;
/** Who shares this machine may spoil a round. A desk that waited for home would wait seconds. */
const MOST_SLOWDOWN = 1.25;
const ROUNDS = 3;
/** A visit is another one after a minute. */
const VISIT_MS = 61_000;
const WORDS = [
  ['en', /^Visitor of midland library · in good standing, checked .+\.$/],
  ['fr', /^Visiteur de midland library · en règle, vérifié .+\.$/],
  ['es', /^Visitante de midland library · en regla, comprobado .+\.$/],
  ['de', /^Gast von midland library · in Ordnung, geprüft .+\.$/],
] as const;

let desks: Desks;
let desk: Desk;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const line = () => desk.page.locator('#passport-line p');
const numberOf = (card: string): number => Number(riverside().state(card).patrons[0]?.patron_id);

const found = findChromium();
if (found === null) stderr.write('Skipped: the standing of a copy in a browser (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('the checkout page of a copy', () => {
  beforeAll(async () => {
    desks = await startDesks({
      env: REMEMBERED_SOON,
      riverside: {
        refresh: { at_scan: true },
        standing: 'restrict',
        eligibility: { max_debt: 50 },
      },
    });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(async () => {
    desk = await desks.openDesk();
  });
  afterEach(async () => {
    await desks.toMidland.setMode('pass');
    await desk.close();
  });

  /** A patron of midland who has a copy here, whose last visit was a while ago. */
  async function visitor(): Promise<string> {
    const card = registerPatron(midland());
    await desk.scan(card);
    await desk.checkoutOf(card);
    await waitFor(
      'the standing to be remembered',
      () =>
        riverside()
          .state()
          .copies.some((row) => row.patron_id === numberOf(card) && row.standing) || undefined,
    );
    await later(card);
    return card;
  }

  async function later(card: string): Promise<void> {
    riverside().ageCopy(numberOf(card), VISIT_MS);
    await desks.consortium.redis.call('ZREM', '{passport}:seen-today:riverside', String(numberOf(card)));
  }

  const isBad = async (expected: boolean): Promise<number> => {
    const beganAt = performance.now();
    await desk.page.locator(`#passport-line p[data-tone="${expected ? 'bad' : 'good'}"]`).waitFor();
    return performance.now() - beganAt;
  };

  async function checkOut(book: string): Promise<void> {
    await desk.page.locator('#barcode').fill(book);
    await desk.page.keyboard.press('Enter');
  }

  test('turns red at the visit after a debt at home, blocks the loan, and frees at the visit after it was paid', async () => {
    const card = await visitor();
    midland().putPatron(card, { account_balance: 400, incorrect_address: true });
    await desk.scan(card);
    await desk.checkoutOf(card);
    expect(await isBad(true)).toBeLessThan(RED_WITHIN_MS);
    await desk.page.getByText(/owes too much/).waitFor();
    expect(await line().textContent()).toMatch(
      /^Visitor of midland library · not in good standing: the address is not confirmed, the patron owes too much\. Checked .+\. The patron can have this settled at midland library\.$/,
    );
    await checkOut(shelveBook(riverside()));
    await desk.page.getByText('The restriction has no end.').waitFor();
    expect(riverside().state(card).checkouts).toEqual([]);

    midland().putPatron(card, { account_balance: 0, incorrect_address: null });
    await later(card);
    await desk.scan(card);
    await desk.checkoutOf(card);
    expect(await isBad(false)).toBeLessThan(RED_WITHIN_MS);
    const book = shelveBook(riverside());
    await checkOut(book);
    await desk.page.getByRole('table').getByText(book).waitFor();
    expect(riverside().state(card).checkouts).toHaveLength(1);
  }, 60_000);

  test('shows what was known last, and its age, where home does not answer; the desk waits for nothing', async () => {
    const card = await visitor();
    riverside().ageCopy(numberOf(card), 3 * 3_600_000);
    await desks.toMidland.setMode('refuse');
    const beganAt = performance.now();
    await desk.scan(card);
    await desk.checkoutOf(card);
    await line().waitFor();
    expect(performance.now() - beganAt).toBeLessThan(RED_WITHIN_MS);
    expect(await line().textContent()).toContain('in good standing, checked 3 hours ago. Checking now …');
    const book = shelveBook(riverside());
    await checkOut(book);
    await desk.page.getByRole('table').getByText(book).waitFor();
  }, 60_000);

  /** How long the page of a visit takes until its line is there, and a loan at it. */
  async function timeVisit(card: string): Promise<{ page: number; loan: number }> {
    await later(card);
    const book = shelveBook(riverside());
    const beganAt = performance.now();
    await desk.scan(card);
    await desk.checkoutOf(card);
    await line().waitFor();
    const page = performance.now() - beganAt;
    await checkOut(book);
    await desk.page.getByRole('table').getByText(book).waitFor();
    const loan = performance.now() - beganAt - page;
    // Each visit finds the same page.
    riverside().putItem(book, { checked_out_to: null });
    return { page, loan };
  }

  /** Home is asked again: after an outage it is left alone for a while. */
  async function untilHomeIsAsked(card: string): Promise<void> {
    midland().clearCalls();
    const isAsked = async () => {
      await timeVisit(card);
      return midland().calls().length > 0 || undefined;
    };
    await waitFor('home to be asked', isAsked, { timeoutMs: 60_000 });
  }

  test('is as fast, page and loan, with home killed as with home up', async () => {
    const slowdowns: { page: number; loan: number }[] = [];
    const isAsFast = () => slowdowns.some(({ page, loan }) => Math.max(page, loan) < MOST_SLOWDOWN);
    for (let round = 1; round <= ROUNDS && !isAsFast(); round += 1) {
      // The round before ends with home killed, and who comes now is not known here.
      await desks.toMidland.setMode('pass');
      const card = await visitor();
      const took = {
        up: [] as { page: number; loan: number }[],
        killed: [] as { page: number; loan: number }[],
      };
      for (let turn = 0; turn < TURNS; turn += 1) {
        const home = turn % 2 === 0 ? 'up' : 'killed';
        await desks.toMidland.setMode(home === 'up' ? 'pass' : 'refuse');
        if (home === 'up') await untilHomeIsAsked(card);
        for (let visit = 0; visit < VISITS_IN_TURN; visit += 1) took[home].push(await timeVisit(card));
      }
      const ratio = (what: 'page' | 'loan'): number =>
        percentile(
          took.killed.map((each) => each[what]),
          0.5,
        ) /
        percentile(
          took.up.map((each) => each[what]),
          0.5,
        );
      const slowdown = { page: ratio('page'), loan: ratio('loan') };
      slowdowns.push(slowdown);
      const median = (home: 'up' | 'killed', what: 'page' | 'loan'): string =>
        percentile(
          took[home].map((each) => each[what]),
          0.5,
        ).toFixed(0);
      stderr.write(
        `with home up a page takes ${median('up', 'page')} ms and a loan ${median('up', 'loan')} ms, with home killed ` +
          `${median('killed', 'page')} and ${median('killed', 'loan')}: ${slowdown.page.toFixed(2)} and ${slowdown.loan.toFixed(2)} times as long\n`,
      );
    }
    expect(isAsFast()).toBe(true);
  }, 300_000);

  test('has the line from this Koha alone: the service can be away', async () => {
    const card = await visitor();
    desks.holdWork();
    desks.configure({ receiverUrl: 'http://127.0.0.1:9' });
    try {
      await desk.scan(card);
      await line().waitFor();
      expect(await line().textContent()).toContain('in good standing');
    } finally {
      desks.configure();
      desks.goOn();
    }
  }, 60_000);

  test('of a patron of this library has none, and Koha shows the passport beside that of a copy', async () => {
    const card = await visitor();
    const native = registerPatron(riverside(), { prefix: '99999' });
    await desk.scan(native);
    await desk.checkoutOf(native);
    expect(await desk.page.locator('#passport-line, #passport-standing').count()).toBe(0);
    expect(await desk.page.locator('.patronattribute').count()).toBe(0);
    await desk.open(`/cgi-bin/koha/circ/circulation.pl?borrowernumber=${numberOf(card)}`);
    await line().waitFor();
    expect(await desk.page.locator('.patronattribute').textContent()).toContain('midland');
  }, 60_000);

  test.each(WORDS)(
    'says it in %s',
    async (language, words) => {
      const card = await visitor();
      const options: DeskOptions = { language };
      const other = await desks.openDesk(options);
      try {
        await other.open(`/cgi-bin/koha/circ/circulation.pl?borrowernumber=${numberOf(card)}`);
        const said = other.page.locator('#passport-line p');
        await said.waitFor();
        expect(await said.textContent()).toMatch(words);
        expect(await other.barriers()).toEqual([]);
      } finally {
        await other.close();
      }
    },
    60_000,
  );
});
