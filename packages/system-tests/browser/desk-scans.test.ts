import { findChromium, waitFor } from '@passport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stderr } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

let desks: Desks;
let desk: Desk;

/** An event that nobody works on: as it is said at once, and after a while. */
const SEARCHING =
  /^(?:(?:Still s|S)earching at the partner|Waiting in the queue|The passport service is stopped)/;

const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const copyOf = (card: string) => riverside().state(card).patrons[0];

async function scan(code: string): Promise<void> {
  await desk.page.keyboard.type(code);
  await desk.page.keyboard.press('Enter');
}

/** Keeps the desk's script from the pages that open from now on, until what it returns is called. */
async function holdScript(): Promise<() => void> {
  let letScriptCome: () => void = () => undefined;
  const isWanted = new Promise<void>((resolve) => (letScriptCome = resolve));
  await desk.page.route('**/contrib/passport/desk.js*', (route) => isWanted.then(() => route.continue()));
  return letScriptCome;
}

/** Koha's search takes longer than keys are held. */
/** A visitor, and an item, at a desk whose Koha searches for longer than keys wait; until `desks.goOn()` no event is worked on. */
async function atSlowSearch(): Promise<{ card: string; book: string }> {
  desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
  desks.holdWork();
  await desk.page.route('**/api/v1/patrons?*', async (route) => {
    await setTimeout(3_400);
    await route.continue().catch(() => undefined);
  });
  return { card: registerPatron(midland()), book: shelveBook(riverside()) };
}
const openUnknown = (card: string) =>
  desk.open(`/cgi-bin/koha/members/member.pl?circsearch=1&searchmember=${card}`);

/** Scans `code` where Koha asks whether an item is complete, before the desk's script is there; returns the barcode of that item. */
async function scanWhileKohaAsks(card: string, code: string): Promise<string> {
  const asked = shelveBook(riverside(), { materials_notes: 'A map' });
  riverside().putSettings({ CircConfirmItemParts: true });
  await desk.scan(card);
  await desk.checkoutOf(card);
  const letScriptCome = await holdScript();
  await desk.page.locator('#mainform #barcode').focus();
  await scan(asked);
  await desk.page.locator('#circ_needsconfirmation').waitFor();
  await scan(code);
  letScriptCome();
  return asked;
}

const found = findChromium();
if (found === null) stderr.write('Skipped: what is scanned at the desk (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('what is scanned while a card is looked for', () => {
  beforeAll(async () => {
    desks = await startDesks();
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(async () => {
    desk = await desks.openDesk();
  });
  afterEach(async () => {
    desks.goOn();
    await desks.toMidland.setMode('pass');
    await desk.close();
  });

  test('the card again is ignored, and nobody is asked for what is neither card nor item', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^\d{14}$`] });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.waitFor();
    for (const code of [card, '0017']) await scan(code);
    await desk.panel.getByText('This is neither an item of this library nor a card.').waitFor();
    expect(await desk.steps()).toMatch(/^report:done search:\w+ copy:later$/);
    await scan(card);
    desks.goOn();
    await desk.checkoutOf(card);
  }, 60_000);

  /** What a scan of the next card comes to, and the code that the scanner has sent. */
  const NOTHING_YET = {
    'is misread': { says: 'This is neither an item of this library nor a card.', sent: () => '0017' },
    'is not answered for': { says: 'Koha did not answer.', sent: (card: string) => card },
    'can be an item, too': {
      says: 'This can be an item or a card. Which is it?',
      sent: (card: string) => {
        riverside().putItem(card, {
          item_type_id: 'BK',
          home_library_id: 'MAIN',
          holding_library_id: 'MAIN',
        });
        return card;
      },
    },
  };
  test.each(Object.keys(NOTHING_YET) as (keyof typeof NOTHING_YET)[])(
    'where the next card %s, its item is not for the patron before',
    async (what) => {
      const { says, sent } = NOTHING_YET[what];
      const [first, second] = [registerPatron(midland()), registerPatron(midland())];
      const book = shelveBook(riverside());
      desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
      desks.holdWork();
      await desk.scan(first);
      await desk.item.waitFor();
      const code = sent(second);
      const codes = '**/contrib/passport/codes';
      if (what === 'is not answered for') await desk.page.route(codes, (route) => route.abort());
      await scan(code);
      await desk.panel.getByText(says).waitFor();
      await desk.page.unroute(codes);
      // without a look at the page
      await scan(book);
      await desk.panel.getByText('A code before this one was not read and may be the next card.').waitFor();
      expect(await desk.steps()).not.toContain('checkout');
      // nor after a reload, which keeps no code
      await desk.page.reload();
      await desk.item.waitFor();
      desks.goOn();
      await desk.headline.getByText('You can check out now.').waitFor();
      expect(await desk.panel.getByText('as soon as the patron has been copied').isVisible()).toBe(false);
      await scan(book);
      await desk.panel.getByText('A code before this one was not read and may be the next card.').waitFor();
      // nor does the checkout of the first open, which would take it
      const opened = desk.page.waitForURL(/circulation\.pl/, { timeout: 1_500 });
      await expect(opened).rejects.toThrow(/Timeout/);
      await scan(second);
      if (what === 'can be an item, too') await desk.panel.locator('.choice button:last-of-type').click();
      await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
      expect(riverside().state(first).checkouts).toEqual([]);
    },
    60_000,
  );

  test('the next card has its own page: both are served, and the item is on the patron who is looked at', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(first);
    await desk.item.waitFor();
    await desk.panel.getByText(SEARCHING).waitFor();
    await desk.page.keyboard.type(second);
    await desk.page.keyboard.press('Enter');
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
    await desk.item.waitFor();
    await desk.scans.getByRole('listitem').waitFor();
    expect(await desk.barriers()).toEqual([]);
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    desks.goOn();
    await desk.checkoutOf(second);
    expect(riverside().state(second).checkouts).toMatchObject([{ external_id: book }]);
    await waitFor('the first', () => copyOf(first) !== undefined);
    await desk.scans.getByRole('link', { name: 'Open the checkout' }).click();
    await desk.checkoutOf(first);
    expect(riverside().state(first).checkouts).toEqual([]);
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    expect(await desk.scans.isVisible()).toBe(false);
  }, 60_000);

  /** Scans the next card while the first is looked up, and `code` before the page of that card is there. */
  async function scanWhileNextOpens(code: string): Promise<{ first: string; second: string }> {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    desks.holdWork();
    await desk.scan(first);
    await desk.item.waitFor();
    let isSlow = true;
    await desk.page.route('**/circulation.pl?findborrower*', async (route) => {
      if (isSlow) await setTimeout(1_500);
      await route.continue().catch(() => undefined);
    });
    const opening = desk.page.waitForRequest(/circulation\.pl\?findborrower/);
    await scan(second);
    await opening;
    isSlow = false;
    await scan(code);
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
    return { first, second };
  }

  test('an item that is scanned while the page of the next card opens is for that card', async () => {
    const book = shelveBook(riverside());
    const { first, second } = await scanWhileNextOpens(book);
    desks.goOn();
    await waitFor('the item', () => riverside().state(second).checkouts.length > 0);
    expect(riverside().state(second).checkouts).toMatchObject([{ external_id: book }]);
    await waitFor('the first', () => copyOf(first) !== undefined);
    expect(riverside().state(first).checkouts).toEqual([]);
  }, 60_000);

  test('what may be half of a card is not dropped in silence while the page of the next one opens', async () => {
    const { second } = await scanWhileNextOpens('0017');
    await desk.scans.getByText(`A code after the card …${second.slice(-4)} was not read.`).waitFor();
  }, 60_000);

  test.each(['panel', 'checkout'] as const)(
    'where the page is reloaded while a card is read in the %s, it is said and the item after it is nobody’s',
    async (where) => {
      const [first, second] = [registerPatron(midland()), registerPatron(midland())];
      const book = shelveBook(riverside());
      desks.configure({ staffWaitMs: where === 'panel' ? 0 : 1500, patterns: [String.raw`^2\d{13}$`] });
      if (where === 'panel') desks.holdWork();
      await desk.scan(first);
      if (where === 'checkout') await desk.checkoutOf(first);
      const box = where === 'panel' ? desk.item : desk.page.locator('#mainform #barcode');
      await box.focus();
      riverside().addFaults([{ operation: 'POST /contrib/passport/codes', kind: 'hang' }]);
      const asked = desk.page.waitForRequest('**/contrib/passport/codes');
      await scan(second);
      await asked;
      await desk.page.reload();
      const after = where === 'panel' ? ` after the card …${first.slice(-4)}` : '';
      await desk.scans.getByText(`A code${after} was not read.`).waitFor();
      await box.focus();
      await scan(book);
      await desk.page.getByText('A code before this one was not read and may be the next card.').waitFor();
      expect(riverside().state(first).checkouts).toEqual([]);
      if (where === 'panel') expect(await desk.steps()).not.toContain('checkout');
    },
    60_000,
  );

  test('an item that was held back is lent to nobody else, whoever obeys the page, until somebody says so', async () => {
    const [visitor, own] = [registerPatron(midland()), registerPatron(riverside(), { prefix: '77' })];
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    desks.holdWork();
    await desk.scan(visitor);
    await desk.panel.getByText(SEARCHING).waitFor();
    const json = { error_code: 'receiver_busy' };
    await desk.page.route('**/contrib/passport/scans', (route) => route.fulfill({ status: 503, json }));
    await scan(book);
    await desk.panel.getByText('The item could not be reported.').waitFor();
    await scan(own);
    await desk.checkoutOf(own);
    const row = `An item for the card …${visitor.slice(-4)} was not checked out. Scan that card first, then the item.`;
    await desk.scans.getByText(row).waitFor();
    await desk.page.locator('#mainform #barcode').focus();
    await scan(book);
    await desk.page.getByText('The item was not checked out.', { exact: true }).waitFor();
    expect(riverside().state(own).checkouts).toEqual([]);
    expect(await desk.barriers()).toEqual([]);
    await desk.page.keyboard.press('Alt+1');
    await scan(book);
    await desk.page.getByRole('table').getByText(book).waitFor();
    expect(riverside().state(own).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test.each([
    ['whatever it looks like', [String.raw`^2\d{13}$`]],
    ['where nobody knows what cards look like', undefined],
  ])(
    'the card of a patron of this library in the box for items opens their checkout, %s',
    async (_what, patterns) => {
      const [visitor, own] = [registerPatron(midland()), registerPatron(riverside(), { prefix: '77' })];
      const book = shelveBook(riverside());
      desks.configure(patterns ? { patterns } : {});
      await desk.scan(visitor);
      await desk.checkoutOf(visitor);
      await setTimeout(1_100);
      await desk.page.locator('#mainform #barcode').focus();
      await scan(own);
      await desk.checkoutOf(own);
      await desk.page.locator('#mainform #barcode').focus();
      await scan(book);
      await desk.page.getByRole('table').getByText(book).waitFor();
      expect(riverside().state(own).checkouts).toMatchObject([{ external_id: book }]);
      expect(riverside().state(visitor).checkouts).toEqual([]);
    },
    60_000,
  );

  test('an item that was not reported before the page was left is said to be lost', async () => {
    const [card, book] = [registerPatron(midland()), shelveBook(riverside())];
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    desks.holdWork();
    await desk.scan(card);
    await desk.panel.getByText(SEARCHING).waitFor();
    riverside().addFaults([{ operation: 'POST /contrib/passport/scans', kind: 'hang' }]);
    const reported = desk.page.waitForRequest('**/contrib/passport/scans');
    await scan(book);
    await reported;
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    const said = `An item for the card …${card.slice(-4)} may have been checked out: nobody answered.`;
    await desk.scans.getByText(said).waitFor();
  }, 60_000);

  test('the panel takes the focus from nobody who has gone to another box before it is there', async () => {
    const { card, book } = await atSlowSearch();
    for (const codes of [[], [book]]) {
      await openUnknown(card);
      for (const code of codes) await scan(code);
      await desk.page.locator('#searchmember-tab, #patron_search-tab').click();
      await desk.panel.getByText(codes.length > 0 ? 'One item is waiting' : SEARCHING).waitFor();
      expect((await desk.focus()).id).toBe('searchmember');
    }
    // where a script of Koha's has set it, nobody has
    const other = registerPatron(midland());
    await openUnknown(other);
    await desk.page.locator('#findborrower:focus').waitFor();
    await desk.page.evaluate('document.getElementById("search_patron_filter").focus()');
    await desk.panel.getByText(SEARCHING).waitFor();
    expect((await desk.focus()).id).toBe('passport-panel');
  }, 60_000);

  test('what is scanned before the checkout can take it is for the patron whose card it follows', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    const book = shelveBook(riverside());
    desks.configure({ patterns: [String.raw`^2\d{13}$`] });
    await desk.scan(first);
    await desk.checkoutOf(first);
    const letScriptCome = await holdScript();
    await desk.page.reload({ waitUntil: 'commit' });
    await desk.page.locator('#mainform #barcode').waitFor();
    for (const code of [second, book]) await scan(code);
    letScriptCome();
    await desk.checkoutOf(second);
    await waitFor('the item', () => riverside().state(second).checkouts.length > 0);
    expect(riverside().state(second).checkouts).toMatchObject([{ external_id: book }]);
    expect(riverside().state(first).checkouts).toEqual([]);
  }, 60_000);

  test('what is scanned while Koha asks to confirm is said to be lost, and Koha goes on asking', async () => {
    const [card, next] = [registerPatron(riverside(), { prefix: '77' }), shelveBook(riverside())];
    desks.configure({ patterns: [String.raw`^2\d{13}$`] });
    const asked = await scanWhileKohaAsks(card, next);
    await desk.scans.getByText('An item was not checked out. Scan the patron’s card first').waitFor();
    await desk.page.locator('#circ_needsconfirmation button').click();
    await desk.page.getByRole('table').getByText(asked).waitFor();
    riverside().putSettings({ CircConfirmItemParts: false });
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: asked }]);
  }, 60_000);

  test.each([
    ['a card', [String.raw`^2\d{13}$`], () => registerPatron(midland()), 'A card was not looked up.'],
    [
      'anything, where cards look like anything,',
      undefined,
      () => shelveBook(riverside()),
      'A code was not read.',
    ],
  ])(
    'after %s that was lost while Koha asked to confirm, no item is taken',
    async (_what, patterns, code, says) => {
      const [card, book] = [registerPatron(riverside(), { prefix: '77' }), shelveBook(riverside())];
      desks.configure(patterns ? { patterns } : {});
      const asked = await scanWhileKohaAsks(card, code());
      await desk.scans.getByText(says).waitFor();
      await desk.page.locator('#circ_needsconfirmation button').click();
      await desk.page.getByRole('table').getByText(asked).waitFor();
      riverside().putSettings({ CircConfirmItemParts: false });
      await desk.page.getByRole('alert').getByText('A code was not read.').waitFor();
      await desk.page.locator('#mainform #barcode').focus();
      await scan(book);
      await desk.page.getByText('A code before this one was not read and may be the next card.').waitFor();
      expect(riverside().state(card).checkouts).toMatchObject([{ external_id: asked }]);
    },
    60_000,
  );

  test('an Enter alone prints the slip as ever, and the next item is checked out', async () => {
    const card = registerPatron(riverside(), { prefix: '77' });
    const book = shelveBook(riverside());
    desks.configure({ patterns: [String.raw`^2\d{13}$`] });
    await desk.scan(card);
    await desk.checkoutOf(card);
    const letScriptCome = await holdScript();
    await desk.page.reload({ waitUntil: 'commit' });
    await desk.page.locator('#mainform #barcode').waitFor();
    const slip = desk.page.waitForEvent('popup');
    await desk.page.keyboard.press('Enter');
    letScriptCome();
    expect((await slip).url()).toContain('/members/printslip.pl');
    await desk.page.bringToFront();
    await desk.page.locator('#mainform #barcode').focus();
    await scan(book);
    await desk.page.getByRole('table').getByText(book).waitFor();
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('no key waits for a search of Koha’s that does not end', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    desks.holdWork();
    await desk.page.route('**/api/v1/patrons?*', () => undefined);
    await openUnknown(first);
    await scan(second);
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second, { timeout: 10_000 });
    await desk.scans.getByRole('listitem').waitFor({ timeout: 20_000 });
    desks.goOn();
    await waitFor('the first', () => copyOf(first) !== undefined);
  }, 60_000);

  test('an item that is scanned while Koha’s search is slow waits for the panel', async () => {
    const { card, book } = await atSlowSearch();
    await openUnknown(card);
    await scan(book);
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    desks.goOn();
    await desk.checkoutOf(card);
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('where a page was left in the middle of a code and Koha’s search is slow, the item after it is nobody’s', async () => {
    const { card, book } = await atSlowSearch();
    await openUnknown(card);
    await desk.page.keyboard.type('21234');
    await desk.page.reload();
    await desk.panel.getByText('A code was not read.').waitFor();
    await desk.item.focus();
    await scan(book);
    await desk.panel.getByText('A code before this one was not read and may be the next card.').waitFor();
    expect(await desk.steps()).not.toContain('checkout');
  }, 60_000);

  test('a next card that is typed while Koha’s search is slow leaves the first one in the list', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    await desk.page.route('**/api/v1/patrons?*', () => undefined);
    await openUnknown(first);
    await desk.page.locator('#findborrower').click();
    await scan(second);
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
    await desk.scans.getByRole('listitem').waitFor({ timeout: 20_000 });
    await waitFor('the first', () => copyOf(first) !== undefined);
  }, 60_000);

  test('half a card is announced where nobody’s page is open, too', async () => {
    desks.configure({ patterns: [String.raw`^2\d{13}$`] });
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    await desk.page.keyboard.type('21234');
    await desk.page.reload();
    await desk.scans.getByText('A code was not read.').waitFor();
  }, 60_000);

  test('where a page was left in the middle of a code, the item after it is nobody’s', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    const book = shelveBook(riverside());
    desks.configure({ patterns: [String.raw`^2\d{13}$`] });
    await desk.scan(first);
    await desk.checkoutOf(first);
    await desk.page.locator('#mainform #barcode').focus();
    await desk.page.keyboard.type(second.slice(0, 5));
    await desk.page.reload();
    await desk.page.getByText('A code was not read.').waitFor();
    for (const isReloaded of [false, true]) {
      if (isReloaded) await desk.page.reload();
      await desk.page.getByRole('alert').getByText('A code was not read.').waitFor();
      await desk.page.locator('#mainform #barcode').focus();
      await scan(book);
      await desk.page.getByText('A code before this one was not read and may be the next card.').waitFor();
    }
    await scan(second);
    await desk.page.waitForURL((url) => url.search.includes(second));
    expect(riverside().state(first).checkouts).toEqual([]);
  }, 60_000);

  test('what can be a card or an item here is asked', async () => {
    const card = registerPatron(midland());
    const both = registerPatron(midland());
    const book = shelveBook(riverside());
    riverside().putItem(both, { item_type_id: 'BK', home_library_id: 'MAIN', holding_library_id: 'MAIN' });
    desks.configure({ staffWaitMs: 0, patterns: [String.raw`^2\d{13}$`] });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.waitFor();
    await desk.page.keyboard.type(both);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('This can be an item or a card. Which is it?').waitFor();
    expect((await desk.focus()).id).toBe('passport-panel');
    expect(await desk.barriers()).toEqual([]);
    await desk.button('The next card').click();
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === both);
    await desk.panel
      .getByText('This is the barcode of an item here. No partner library was asked.')
      .waitFor();
    await desk.button('Look up as a card').click();
    await desk.panel.getByText(SEARCHING).waitFor();
    // once and for all: it is not asked again for its item, nor after a reload
    await desk.page.reload();
    await desk.item.waitFor();
    await scan(book);
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    desks.goOn();
    await desk.checkoutOf(both);
    expect(riverside().state(both).checkouts).toMatchObject([{ external_id: book }]);
    expect(riverside().state(card).checkouts).toEqual([]);
  }, 60_000);

  test('a card in Koha’s own box before the page of the one before it is there: both are served', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    desks.configure({ staffWaitMs: 1500 });
    await desks.toMidland.setMode('refuse');
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    for (const card of [first, second]) {
      await desk.page.keyboard.type(card);
      await desk.page.keyboard.press('Enter');
    }
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
    await desk.scans.getByRole('listitem').waitFor();
    await desks.toMidland.setMode('pass');
    await desk.checkoutOf(second);
    await waitFor('the first', () => copyOf(first) !== undefined);
  }, 60_000);

  test('a card that could not be looked up before the page of the next one is not dropped in silence', async () => {
    const [first, second] = [registerPatron(midland()), registerPatron(midland())];
    desks.configure({ staffWaitMs: 1500, patterns: [String.raw`^2\d{13}$`] });
    await desks.toMidland.setMode('refuse');
    await desk.open('/cgi-bin/koha/circ/circulation.pl');
    await desk.page.locator('#findborrower').waitFor();
    await desk.page.route('**/contrib/passport/codes', (route) => route.abort());
    for (const card of [first, second]) await scan(card);
    await desk.page.waitForURL((url) => url.searchParams.get('searchmember') === second);
    await desk.scans.getByText(`The card …${first.slice(-4)} was not looked up.`).waitFor();
    expect(await desk.barriers()).toEqual([]);
    await desks.toMidland.setMode('pass');
    await desk.checkoutOf(second);
    await desk.scans.getByRole('button', { name: 'Remove' }).click();
    expect(await desk.scans.getByText('was not looked up.').isVisible()).toBe(false);
  }, 60_000);
});
