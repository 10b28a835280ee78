import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stderr } from 'node:process';
import type { Locator } from 'playwright-core';
import { waitFor, findChromium } from '@passport/testkit';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

let desks: Desks;
let desk: Desk;
let spare = 0;

const nobodysCard = () => `21234${String(600_000_000 + (spare += 1))}`;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const isFocused = async (part: Locator) => (await part.and(desk.page.locator(':focus')).count()) === 1;
const reports = () =>
  riverside()
    .calls()
    .filter(({ path }) => path.endsWith('/contrib/passport/scans'));

const expired = { expiry_date: '2020-01-31' };
const HEADLINES = {
  en: ['Found at midland library, but: the card has expired.', 'Scan the next card'],
  fr: ['Carte trouvée à midland library, mais\u00a0: la carte a expiré.', 'Scanner la carte suivante'],
  es: ['Carné encontrado en midland library, pero: el carné ha caducado.', 'Leer el carné siguiente'],
  de: ['Gefunden (midland library), aber: der Ausweis ist abgelaufen.', 'Nächsten Ausweis scannen'],
} as const;

const found = findChromium();
if (found === null) stderr.write('Skipped: the desk for everybody (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)("the plugin's panel", () => {
  beforeAll(async () => {
    desks = await startDesks();
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(() => desks.configure({ staffWaitMs: 0 }));
  afterEach(async () => {
    desks.goOn();
    await desks.toMidland.setMode('pass');
    await desk.close();
  });

  test.each(Object.entries(HEADLINES))(
    'speaks the language of the page, on 320 pixels and in forced colours too: %s',
    async (language, [headline, next]) => {
      desk = await desks.openDesk({ language, width: 320, forcedColors: 'active' });
      await desk.scan(registerPatron(midland(), { columns: expired }));
      await desk.panel.getByText(headline).waitFor();
      expect(await desk.panel.getAttribute('lang')).toBe(language);
      expect(await desk.button(next).isVisible()).toBe(true);
      expect(await desk.overflow()).toBe(0);
      expect(await desk.barriers()).toEqual([]);
      await desk.button(next).press('Enter');
      expect(await desk.focus()).toMatchObject({ id: 'passport-panel' });
    },
    30_000,
  );

  test('says by signs what it says by colours', async () => {
    desk = await desks.openDesk({ width: 640, forcedColors: 'active' });
    desks.holdWork();
    await desk.scan(nobodysCard());
    await desk.panel.getByText(/^Searching/).waitFor();
    const [wait, done, now, later] = await desk.marks();
    desks.goOn();
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    const [warn, , none, skipped] = await desk.marks();
    const signs = [done, now, later, none, skipped];
    expect(new Set(signs).size).toBe(signs.length);
    expect(new Set([wait, warn]).size).toBe(2);
    expect(await desk.overflow()).toBe(0);
  }, 30_000);

  test('can be worked by keyboard alone: the item goes where the focus is, Escape puts it away', async () => {
    desk = await desks.openDesk();
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    const reach = (key: string, part: Locator) =>
      waitFor(`${key} to reach it`, async () => {
        if (await isFocused(part)) return true;
        await desk.page.keyboard.press(key);
        return false;
      });
    desks.holdWork();
    await desk.scan(card);
    await desk.item.waitFor();
    await waitFor('the focus', () => isFocused(desk.item));
    await desk.page.keyboard.press('Tab');
    expect(await isFocused(desk.button('Check out'))).toBe(true);
    await reach('Tab', desk.button('Cancel'));
    await reach('Shift+Tab', desk.item);
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    desks.goOn();
    await desk.checkoutOf(card);
    expect(riverside().state(card).checkouts).toHaveLength(1);

    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    await waitFor('the next card', async () => (await desk.focus()).id === 'passport-panel');
    await reach('Tab', desk.panel.getByText('Register the patron', { exact: true }));
    await desk.page.keyboard.press('Enter');
    await reach('Tab', desk.panel.getByRole('link', { name: 'Adult' }));
    expect(await desk.barriers()).toEqual([]);
    await desk.page.keyboard.press('Escape');
    await desk.panel.waitFor({ state: 'detached' });
    expect((await desk.focus()).id).toBe('findborrower');
  }, 60_000);

  test('announces what changes, and takes the focus from nobody who is typing', async () => {
    desk = await desks.openDesk();
    let letSearch = (): void => undefined;
    const typed = new Promise<void>((resolve) => {
      letSearch = resolve;
    });
    await desk.page.route('**/api/v1/patrons?*', async (route) => {
      await typed;
      await route.continue();
    });
    desks.holdWork();
    await desk.scan(registerPatron(midland(), { columns: expired }));
    const search = desk.page.locator('#search_patron_filter');
    await search.waitFor();
    await desk.page.waitForLoadState();
    // until then, the page itself sets the focus
    await desk.page.evaluate('new Promise((settled) => setTimeout(settled))');
    await search.fill('Nov');
    letSearch();
    await desk.item.waitFor();
    desks.goOn();
    expect(await desk.headline.getAttribute('aria-live')).toBe('polite');
    await desk.panel.getByText('but: the card has expired').waitFor();
    await desk.page.keyboard.type('ak');
    expect(await search.inputValue()).toBe('Novak');
    expect(await desk.headline.getAttribute('role')).toBe('status');
  }, 60_000);

  test('has no barriers that axe knows of, whatever it shows', async () => {
    desk = await desks.openDesk();
    await desks.toMidland.setMode('refuse');
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No answer').waitFor();
    expect(await desk.barriers()).toEqual([]);
    await desk.item.fill(shelveBook(riverside()));
    await desk.item.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').first().waitFor();
    expect(await desk.barriers()).toEqual([]);
    await desks.toMidland.setMode('pass');
    await desk.panel.getByText('No partner library knows this card.').waitFor({ timeout: 20_000 });
    expect(await desk.barriers()).toEqual([]);
  }, 40_000);

  test('T-15 T-16 distinguishes a service that is away from a card that nobody has, and never gives up', async () => {
    desk = await desks.openDesk();
    const [receiver] = desks.consortium.services.receivers;
    const card = registerPatron(midland());
    await receiver?.kill();
    await desk.page.clock.install();
    await desk.scan(card);
    await desk.panel.getByText('The passport service does not answer. Trying again …').waitFor();
    expect(await desk.advice.textContent()).toBe('Register by hand if the patron cannot wait.');
    const before = reports().length;
    await waitFor(
      'more reports than it once sent',
      async () => {
        await desk.page.clock.fastForward(30_000); // its longest pause between two tries
        return reports().length > before + 5;
      },
      { timeoutMs: 20_000 },
    );
    expect(await desk.headline.textContent()).toBe('The passport service does not answer. Trying again …');
    expect(await desk.barriers()).toEqual([]);
    await receiver?.restart();
    await waitFor('the report to be taken', async () => {
      await desk.page.clock.fastForward(30_000);
      return desk.page.url().includes('circulation.pl');
    });
    await desk.checkoutOf(card);
  }, 60_000);

  test('proves each report to be its own by the token of the page, where Koha requires it', async () => {
    desk = await desks.openDesk();
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    expect(reports().at(-1)).toMatchObject({ method: 'POST', status: 202 });
    const forged = await desk.page.evaluate(
      `fetch('/api/v1/contrib/passport/scans', { method: 'POST', body: '{"cardnumber": "21234000000017"}' })
        .then(({ status }) => status)`,
    );
    expect(forged).toBe(403);
  }, 60_000);

  test('T-04 stays away from names, from searches with hits and from every other page', async () => {
    desk = await desks.openDesk();
    const before = reports().length;
    await desk.scan('Nobody, Surname');
    await desk.page.locator('#memberresultst td').first().waitFor();
    riverside().putPatron('21234999999991', { surname: 'One', category_id: 'AD', library_id: 'MAIN' });
    riverside().putPatron('21234999999992', { surname: 'Two', category_id: 'AD', library_id: 'MAIN' });
    await desk.scan('2123499999999');
    await desk.page.getByText('2 patrons found.').waitFor();
    for (const path of ['mainpage.pl', 'members/member.pl?searchmember=21234000000017']) {
      await desk.open(`/cgi-bin/koha/${path}`);
      expect(await desk.page.locator('#passport-desk').count()).toBe(0);
    }
    expect(await desk.panel.count()).toBe(0);
    expect(reports().length).toBe(before);
  }, 60_000);

  test('leaves nothing in the page but itself: no global, no style, no fault in the console', async () => {
    desk = await desks.openDesk();
    const faults: string[] = [];
    desk.page.on('pageerror', (error) => faults.push(error.message));
    await desk.context.addInitScript(() => {
      const names = new Set(Object.keys(globalThis));
      Object.assign(globalThis, { namesBefore: names });
    });
    await desk.scan(nobodysCard());
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    const added = await desk.page.evaluate(() => {
      const { namesBefore } = globalThis as unknown as { namesBefore: Set<string> };
      // jQuery is Koha's own
      const known = ['namesBefore', 'jQuery'];
      return Object.keys(globalThis).filter((name) => !namesBefore.has(name) && !known.includes(name));
    });
    expect(added).toEqual([]);
    expect(await desk.page.locator('style').count()).toBe(0);
    expect(faults).toEqual([]);
  }, 60_000);

  // The policy of Koha's own tests (t/Koha/Middleware/ContentSecurityPolicy.t, bug 38365).
  const POLICY =
    "default-src 'self'; script-src 'self' 'nonce-_CSP_NONCE_'; style-src 'self' 'nonce-_CSP_NONCE_'; " +
    "img-src 'self' data:; font-src 'self'; object-src 'none'";

  test('works, and looks the same, under the content security policy of a newer Koha', async () => {
    const shows = async (policy: string) => {
      riverside().putSettings({ release: '26.05', content_security_policy: policy });
      desk = await desks.openDesk();
      await desk.context.addInitScript(`globalThis.refused = [];
        addEventListener('securitypolicyviolation', ({ effectiveDirective, sample, blockedURI }) =>
          globalThis.refused.push([effectiveDirective, blockedURI, sample]));`);
      const opened = desk.page.waitForResponse((response) => response.url().includes('/members/member.pl'));
      await desk.scan(nobodysCard());
      const { 'content-security-policy': sent = '' } = await (await opened).allHeaders();
      await desk.panel.getByText('No partner library knows this card.').waitFor();
      const [refused, marks, steps] = await Promise.all([
        desk.page.evaluate('refused'),
        desk.marks(),
        desk.steps(),
      ]);
      await desk.close();
      return { sent, refused, marks, steps };
    };
    const [free, bound] = [await shows(''), await shows(POLICY)];
    riverside().putSettings({ release: '25.11', content_security_policy: '' });
    expect([free.sent, bound.sent.startsWith("default-src 'self'; script-src 'self' 'nonce-")]).toEqual([
      '',
      true,
    ]);
    expect(bound).toEqual({ ...free, sent: bound.sent });
    expect(bound.refused).toEqual([]);
  }, 60_000);

  test('keeps no card where it could stay: not in storage, not in the history, not in our logs', async () => {
    desk = await desks.openDesk();
    const card = nobodysCard();
    await desk.scan(card);
    await desk.panel.getByText('No partner library knows this card.').waitFor();
    const kept = await desk.page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie])',
    );
    expect(kept).toContain('passport');
    expect(kept).not.toContain(card);
    expect(await desks.consortium.services.logs()).not.toContain(card);
  }, 60_000);
});
