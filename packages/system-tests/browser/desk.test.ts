import { findChromium, waitFor } from '@passport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stderr } from 'node:process';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

let desks: Desks;
let desk: Desk;
let spare = 0;

/** An event that nobody works on: as it is said at once, and after a while. */
const SEARCHING =
  /^(?:(?:Still s|S)earching at the partner|Waiting in the queue|The passport service is stopped)/;

/** A card that looks like midland's and that nobody has. */
const nobodysCard = () => `21234${String(700_000_000 + (spare += 1))}`;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
/** How many cards the desk has reported. */
const reportedCards = (): number =>
  riverside()
    .calls()
    .filter(({ path }) => path.endsWith('/contrib/passport/scans')).length;
const copyOf = (card: string) => riverside().state(card).patrons[0];

/** In the page: what has the focus, and what is said, in the very moment that the panel is put there. */
const SEE_PANEL_COME = `new MutationObserver((changes, observer) => {
  const panel = document.querySelector('#passport-panel')?.shadowRoot;
  if (!panel) return;
  observer.disconnect();
  globalThis.seen = [panel.activeElement?.id, panel.querySelector('.headline').textContent];
}).observe(document, { childList: true, subtree: true })`;

const found = findChromium();
if (found === null) stderr.write('Skipped: the desk in a browser (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('a card of midland at the desk of riverside', () => {
  beforeAll(async () => {
    desks = await startDesks();
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(async () => {
    desks.configure();
    desk = await desks.openDesk();
  });
  afterEach(async () => {
    desks.goOn();
    riverside().putSettings({ release: '25.11', CircConfirmItemParts: false });
    await desks.toMidland.setMode('pass');
    await desk.close();
  });

  test('works at the first scan: the checkout opens with the patron, and a book is checked out as ever', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    await desk.scan(card);
    await desk.checkoutOf(card);
    expect(await desk.page.title()).not.toContain('Patron search');
    await desk.page.locator('#barcode').pressSequentially(book);
    await desk.page.keyboard.press('Enter');
    await desk.page.getByRole('table').getByText(book).waitFor();
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('opens the checkout by itself when it takes longer than the page waits', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 200 });
    desks.holdWork();
    await desk.scan(card);
    await desk.panel.getByText(SEARCHING).waitFor();
    desks.goOn();
    await desk.checkoutOf(card);
    expect(copyOf(card)).toBeDefined();
  }, 60_000);

  test('has the service check out the item that is scanned into the panel, once', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.waitFor();
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    await desk.panel.getByText('Scan the next card').first().waitFor();
    expect((await desk.focus()).id).toBe('passport-panel');
    desks.goOn();
    await desk.checkoutOf(card);
    await desk.page.getByRole('table').getByText(book).waitFor();
    expect(riverside().state(card).checkouts).toHaveLength(1);
  }, 60_000);

  test('takes an item the moment the panel is there, and says what is done once that can be heard', async () => {
    desks.holdWork();
    await desk.page.addInitScript({ content: SEE_PANEL_COME });
    desks.configure({ staffWaitMs: 0 });
    await desk.scan(nobodysCard());
    await desk.panel.getByText(SEARCHING).waitFor();
    expect(await desk.page.evaluate('seen')).toEqual(['item', '']);
  }, 60_000);

  test.each([
    ['en', /^.+The item was not checked out, Koha requires a confirmation: .+\. Scan it again here\./],
    ['fr', /^.+Le document n’est pas prêté, Koha demande une confirmation : .+\. Scannez-le à nouveau ici\./],
    ['es', /^.+El ejemplar no se prestó, Koha pide una confirmación: .+\. Léalo de nuevo aquí\./],
    [
      'de',
      /^.+Das Exemplar ist nicht verliehen, Koha möchte eine Bestätigung: .+\. Scannen Sie es hier noch einmal\./,
    ],
  ])(
    'opens the checkout by itself where Koha wants a confirmation, and says so there: %s',
    async (language, said) => {
      await desk.close();
      desk = await desks.openDesk({ language });
      const card = registerPatron(midland());
      const book = shelveBook(riverside(), { materials_notes: 'A map' });
      riverside().putSettings({ CircConfirmItemParts: true });
      desks.configure({ staffWaitMs: 0 });
      desks.holdWork();
      await desk.scan(card);
      await desk.item.waitFor();
      await desk.page.keyboard.type(book);
      await desk.page.keyboard.press('Enter');
      await waitFor('the item to be reported', async () => (await desk.steps()).includes('checkout'));
      desks.goOn();
      await desk.checkoutOf(card);
      await desk.scans.getByRole('listitem').waitFor();
      expect((await desk.focus()).id).toBe('barcode');
      await waitFor('what is said', async () =>
        said.test((await desk.scans.innerText()).replaceAll(/\s+/g, ' ')),
      );
      expect(await desk.barriers()).toEqual([]);
      // obeyed: the item, and Koha's own question
      await desk.page.keyboard.type(book);
      await desk.page.keyboard.press('Enter');
      await desk.page.locator('#circ_needsconfirmation button').click();
      await desk.page.getByRole('table').getByText(book).waitFor();
      expect(await desk.scans.isVisible()).toBe(false);
      expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
    },
    60_000,
  );

  test('lets an item that is half typed be checked out before the page is left', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.waitFor();
    await desk.item.pressSequentially(book.slice(0, 5));
    desks.goOn();
    await desk.panel.getByText('Press Enter to check out the item, or open the checkout.').waitFor();
    await desk.item.pressSequentially(book.slice(5));
    await desk.item.press('Enter');
    await desk.checkoutOf(card);
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('that nobody knows is said so, with what to do, and nothing is tried again', async () => {
    desks.configure({ staffWaitMs: 0 });
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    expect(await desk.advice.textContent()).toBe('Check the card, or register the patron by hand.');
    expect(await desk.steps()).toBe('report:done search:none copy:skipped');
    expect(await desk.button('Try again').isVisible()).toBe(false);
  }, 60_000);

  test('that nobody knows leaves the desk to the next card: what is scanned now is a new scan', async () => {
    desks.configure({ staffWaitMs: 0 });
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    await waitFor('the focus', async () => (await desk.focus()).id === 'passport-panel');
    await desk.button('Search by name').click();
    expect(await desk.focus()).toMatchObject({ id: 'search_patron_filter' });
    await desk.button('Scan the next card').click();
    expect(await desk.focus()).toMatchObject({ id: 'passport-panel' });
    const book = shelveBook(riverside());
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('This is an item. Scan a card first.').waitFor();
    const next = registerPatron(midland());
    await desk.page.keyboard.type(next);
    await desk.page.keyboard.press('Enter');
    await desk.checkoutOf(next);
  }, 60_000);

  test.each(['23.11', '26.05'] as const)(
    'that nobody knows is registered in the form of Koha %s, filled from nothing but the card',
    async (release) => {
      riverside().putSettings({ release });
      desks.configure({ staffWaitMs: 0 });
      const card = nobodysCard();
      await desk.scan(card);
      await desk.panel.getByText('No partner library knows this card.').waitFor();
      await desk.page.keyboard.press('Alt+N');
      await waitFor('the categories', async () => (await desk.panel.locator('a:focus').count()) === 1);
      await desk.panel.getByRole('link', { name: 'Adult' }).press('Enter');
      await desk.page.waitForFunction("location.hash === ''");
      expect((await desk.focus()).id).toBe('surname');
      const filled = await desk.page.evaluate(
        `Array.from(document.querySelectorAll('#entryform input:not([type=hidden])'), ({ id, value }) => [id, value])`,
      );
      expect(filled).toEqual([
        ['surname', ''],
        ['firstname', ''],
        ['cardnumber', card],
      ]);
      expect(desk.page.url()).not.toContain(card);
      await desk.page.locator('#surname').fill(`Newcomer ${release}`);
      await desk.page.locator('#saverecord').click();
      await desk.checkoutOf(card);
      expect(copyOf(card)).toMatchObject({ surname: `Newcomer ${release}`, category_id: 'AD' });
    },
    60_000,
  );

  test('hears that no worker of the service is there, and goes on when one is', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 0 });
    const [worker] = desks.consortium.services.workers;
    await worker?.kill();
    try {
      await desk.scan(card);
      await desk.panel.getByText('The passport service is stopped at the moment.').waitFor();
      expect(await desk.panel.getAttribute('data-tone')).toBe('warn');
      expect(await desk.steps()).toBe('report:done search:later copy:later');
    } finally {
      await worker?.restart();
    }
    await desk.checkoutOf(card);
  }, 60_000);

  test('that nobody knows is reported once: the panel follows the event of the scan', async () => {
    const outcomes = () => riverside().state().outcomes.length;
    const before = outcomes();
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    expect(outcomes()).toBe(before + 1);
  }, 60_000);

  test.each(['circ/circulation.pl?findborrower=', 'members/member.pl?circsearch=1&searchmember='])(
    'that a link of another site brings is reported when the desk says so, and not before: %s',
    async (path) => {
      const card = registerPatron(midland());
      const site = 'https://elsewhere.example/';
      const link = `<a href="${riverside().url}/cgi-bin/koha/${path}${card}">Opening hours</a>`;
      await desk.page.route(site, (route) => route.fulfill({ contentType: 'text/html', body: link }));
      const before = riverside().state().outcomes.length;
      await desk.page.goto(site);
      await desk.page.getByRole('link').click();
      await desk.panel
        .getByText('Another site has opened this page. No partner library was asked.')
        .waitFor();
      expect(await desk.steps()).toBe('report:skipped search:skipped copy:skipped');
      expect(riverside().state().outcomes).toHaveLength(before);
      await desk.button('Try again').click();
      await desk.checkoutOf(card);
    },
    60_000,
  );

  test('of somebody who may not borrow is said so, with the reason and no word about the person', async () => {
    const card = registerPatron(midland(), {
      columns: { surname: 'Plantedsurname', expiry_date: '2020-01-31', restricted: true },
    });
    await desk.scan(card);
    await desk.panel.getByText('Found at midland library, but: the card has expired').waitFor();
    expect(await desk.steps()).toBe('report:done search:done copy:stopped');
    expect(await desk.page.content()).not.toContain('Plantedsurname');
    expect(await desk.panel.textContent()).not.toContain('Plantedsurname');
    expect(copyOf(card)).toBeUndefined();
  }, 60_000);

  test('T-15 waits for a library that is down, names it, and goes on when it is back', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 0 });
    await desks.toMidland.setMode('refuse');
    await desk.scan(card);
    await desk.panel.getByText(/^No answer .*midland library/).waitFor();
    expect(await desk.steps()).toBe('report:done search:now copy:later');
    await desks.toMidland.setMode('pass');
    await desk.checkoutOf(card);
  }, 60_000);

  test('goes on after a reload in the middle, with the same event', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(card);
    await desk.panel.getByText(SEARCHING).waitFor();
    const before = reportedCards();
    await desk.page.reload();
    await desk.panel.getByText(SEARCHING).waitFor();
    await waitFor('the item’s box', async () => (await desk.focus()).id === 'passport-panel');
    desks.goOn();
    await desk.checkoutOf(card);
    expect(reportedCards()).toBe(before);
  }, 60_000);

  test('goes on after going away and back, and can be cancelled for good', async () => {
    desks.configure({ staffWaitMs: 0 });
    await desks.toMidland.setMode('refuse');
    await desk.scan(nobodysCard());
    await desk.panel.getByText(/midland/i).waitFor();
    await desk.open('/cgi-bin/koha/mainpage.pl');
    await desk.page.goBack();
    await desk.panel.getByText(/midland/i).waitFor();
    await desk.button('Cancel').click();
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
    await desk.button('Close').click();
    await desk.panel.waitFor({ state: 'detached' });
    await desk.page.reload();
    await desk.page.locator('#memberresultst td').first().waitFor();
    expect(await desk.panel.count()).toBe(0);
  }, 60_000);

  test('is neither copied nor given a checkout when it is cancelled before, with its item', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.fill(book);
    await desk.item.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    await desk.page.keyboard.press('Escape');
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
    await waitFor('the next card', async () => (await desk.focus()).id === 'passport-panel');
    const ended = () =>
      riverside()
        .state()
        .outcomes.filter(({ outcome }) => outcome === 'CANCELLED').length;
    const before = ended();
    desks.goOn();
    // the event of the scan and that of the item
    await waitFor('both events to end', () => ended() >= before + 2);
    expect(copyOf(card)).toBeUndefined();
    expect(
      riverside()
        .state()
        .checkouts.some(({ external_id: borrowed }) => borrowed === book),
    ).toBe(false);
    expect(await desk.panel.getByText('Cancelled: nothing was written.').isVisible()).toBe(true);
  }, 60_000);

  test('is cancelled at one of two desks only, and copied for the other', async () => {
    const card = registerPatron(midland());
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    const other = await desks.openDesk();
    await Promise.all([desk.scan(card), other.scan(card)]);
    await Promise.all([desk, other].map(({ panel }) => panel.getByText(SEARCHING).waitFor()));
    await desk.page.keyboard.press('Escape');
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
    desks.goOn();
    await other.checkoutOf(card);
    expect(riverside().state(card).patrons).toHaveLength(1);
    expect(await desk.panel.getByText('Cancelled: nothing was written.').isVisible()).toBe(true);
    await other.close();
  }, 60_000);

  test('is copied and given no checkout when it is cancelled while the copy is made', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    riverside().addFaults([{ operation: 'POST /patrons', kind: 'delay', ms: 2_000 }]);
    desks.holdWork();
    await desk.scan(card);
    await desk.item.fill(book);
    await desk.item.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    desks.goOn();
    await waitFor('the copy to be sent', () => riverside().faultsLeft().length === 0);
    await desk.button('Cancel').click();
    await desk.panel.getByText('The patron is registered here; nothing was checked out.').waitFor();
    expect(copyOf(card)).toBeDefined();
    expect(riverside().state(card).checkouts).toEqual([]);
    expect(await desk.steps()).toBe('report:done search:done copy:done checkout:skipped');
  }, 60_000);

  test('is not shown as cancelled where the service does not know the scan that it accepted', async () => {
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.page.route('**/passport/scans/*/cancel', (route) => route.fulfill({ status: 404, json: {} }));
    await desk.scan(nobodysCard());
    await desk.panel.getByText(SEARCHING).waitFor();
    await desk.button('Cancel').click();
    await desk.panel.getByText('The cancel could not be confirmed.').waitFor();
  }, 60_000);

  test('is cancelled where nobody has taken the report that was not answered', async () => {
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    const json = { event_id: 'scan_nobody_has', error_code: 'receiver_unreachable' };
    await desk.page.route('**/passport/scans', (route) => route.fulfill({ status: 503, json }));
    await desk.scan(nobodysCard());
    await desk.panel.getByText('The passport service does not answer. Trying again …').waitFor();
    await desk.button('Cancel').click();
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
  }, 60_000);

  test('is not shown as cancelled where the service has had the scan and does not know it any more', async () => {
    const { redis } = desks.consortium;
    const headlines = {
      en: 'The passport service does not know this scan any more. Look at the patron’s record before you go on.',
      fr: 'Le service ne connaît plus ce passage de carte. Consultez la fiche de l’adhérent avant de continuer.',
      es: 'El servicio ya no conoce esta lectura. Consulte el registro del usuario antes de continuar.',
      de: 'Der Dienst kennt diesen Scan nicht mehr. Sehen Sie im Konto des Benutzers nach, bevor Sie weitermachen.',
    };
    desks.configure({ staffWaitMs: 0 });
    for (const [language, expected] of Object.entries(headlines)) {
      const card = registerPatron(midland());
      const there = await desks.openDesk({ language });
      let eventId = '';
      await there.page.route('**/passport/scans', async (route) => {
        if (eventId === '') eventId = ((await (await route.fetch()).json()) as { event_id: string }).event_id;
        await route.fulfill({ status: 503, json: { event_id: eventId, error_code: 'receiver_unreachable' } });
      });
      desks.holdWork();
      await there.scan(card);
      await waitFor('the report', () => eventId !== '');
      desks.goOn();
      await waitFor('the copy, and its event to end', async () => {
        const record = await redis.call('GET', `{passport}:idempotency:riverside.${eventId}`);
        return copyOf(card) !== undefined && / d/.test(String(record));
      });
      await redis.call('DEL', `{passport}:scans:riverside.${eventId}`);
      await there.page.keyboard.press('Escape');
      await waitFor('what is said', async () => {
        const text = `${await there.headline.textContent()} ${await there.advice.textContent()}`;
        return text === expected;
      });
      expect(await there.steps()).toBe('report:done search:unknown copy:unknown');
      await there.close();
    }
  }, 120_000);

  test('is not shown as cancelled where the answer to a report was lost, unless a later one is coalesced with it', async () => {
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    let reply: 'lost' | 'new' | 'as_is' = 'lost';
    await desk.page.route('**/passport/scans', async (route) => {
      const response = await route.fetch();
      if (reply === 'lost') return route.abort();
      const { joined: coalesced, ...asNew } = (await response.json()) as { joined?: boolean };
      return route.fulfill({ response, json: reply === 'new' ? asNew : { ...asNew, joined: coalesced } });
    });
    const scanAndLose = async (later: 'new' | 'as_is'): Promise<void> => {
      reply = 'lost';
      await desk.scan(nobodysCard());
      await desk.panel.getByText('The passport service does not answer. Trying again …').waitFor();
      reply = later;
      await desk.panel.getByText(SEARCHING).waitFor();
    };
    await scanAndLose('new');
    await desk.page.reload();
    await desk.panel.getByText(SEARCHING).waitFor();
    await desk.button('Cancel').click();
    await desk.panel.getByText('The cancel could not be confirmed.').waitFor();
    await scanAndLose('as_is');
    await desk.button('Cancel').click();
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
  }, 60_000);

  test('that has the checkout already says so when it is cancelled', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.configure({ staffWaitMs: 0 });
    riverside().addFaults([{ operation: 'POST /checkouts', kind: 'delay', ms: 2_000 }]);
    desks.holdWork();
    await desk.scan(card);
    await desk.item.fill(book);
    await desk.item.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    desks.goOn();
    await waitFor('the checkout to be sent', () => riverside().faultsLeft().length === 0);
    await desk.button('Cancel').click();
    await desk.panel.getByText('Already checked out.').waitFor();
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
    expect(await desk.button('Open the checkout').isVisible()).toBe(true);
  }, 60_000);

  test('stays with its card while Koha’s own search shows others in place, and goes on with the same event after Back', async () => {
    const card = registerPatron(midland());
    const native = riverside()
      .state()
      .patrons.find(({ surname }) => surname !== null);
    desks.configure({ staffWaitMs: 0 });
    desks.holdWork();
    await desk.scan(card);
    await desk.panel.getByText(SEARCHING).waitFor();
    const search = desk.page.url();
    const before = reportedCards();

    await desk.page
      .getByText(native?.surname?.slice(0, 1).toUpperCase() ?? '', { exact: true })
      .first()
      .click();
    await desk.page.locator('#memberresultst').getByText(String(native?.surname)).first().waitFor();
    expect(desk.page.url()).not.toBe(search);
    await desk.panel.getByText(SEARCHING).waitFor();
    await desk.page.goBack();
    await desk.page.reload();
    await desk.panel.getByText(SEARCHING).waitFor();
    expect([desk.page.url(), reportedCards()]).toEqual([search, before]);

    desks.goOn();
    await desk.checkoutOf(card);
    expect(copyOf(card)).toBeDefined();
  }, 60_000);

  test('comes for an unknown card although Koha shows the search that this browser saved last', async () => {
    const native = riverside()
      .state()
      .patrons.find(({ surname }) => surname !== null);
    const saved = { external_filters: { search_patron_filter: native?.surname ?? '' } };
    const key = 'DataTables_members_member_memberresultst';
    await desk.context.addInitScript(
      `localStorage.setItem('${key}', ${JSON.stringify(JSON.stringify(saved))})`,
    );
    desks.configure({ staffWaitMs: 0 });
    await desk.scan(nobodysCard());
    await desk.page.locator('#memberresultst td').first().waitFor();
    await desk.panel.waitFor();
    await desk.panel.getByText(/no partner library knows/i).waitFor();
  }, 60_000);
});
