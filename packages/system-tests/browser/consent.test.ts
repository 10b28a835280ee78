import { stderr } from 'node:process';
import { findChromium, waitFor } from '@passport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type DeskOptions, type Desks } from '../harness/start-desk.ts';

const TEXTS = {
  en: 'May we copy your <b>name</b> and address\nfrom your home library?',
  de: 'Dürfen wir Ihre Daten kopieren?',
};
const consent_text = { id: '2026-11', text: TEXTS };
/** What the panel says, and its two buttons, in each of its languages. */
const WORDS = [
  [
    'en',
    'Found at midland library. The patron must agree before anything is copied.',
    'The patron agrees',
    TEXTS.en,
  ],
  [
    'fr',
    'Carte trouvée à midland library. L’adhérent doit donner son accord avant toute copie.',
    'L’adhérent est d’accord',
    TEXTS.en,
  ],
  [
    'es',
    'Carné encontrado en midland library. El usuario debe dar su consentimiento antes de copiar nada.',
    'El usuario está de acuerdo',
    TEXTS.en,
  ],
  [
    'de',
    'Gefunden: midland library. Der Benutzer muss zustimmen, bevor etwas kopiert wird.',
    'Der Benutzer stimmt zu',
    TEXTS.de,
  ],
] as const;

let desks: Desks;
let desk: Desk;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const copyOf = (card: string) => riverside().state(card).patrons[0];
const text = () => desk.panel.locator('.consent .text');

const found = findChromium();
if (found === null) stderr.write('Skipped: consent in a browser (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('a library that requests consent', () => {
  beforeAll(async () => {
    desks = await startDesks({ riverside: { copy: { consent: 'ask', consent_text } } });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(async () => {
    desks.configure({ staffWaitMs: 0 });
    desk = await desks.openDesk();
  });
  afterEach(() => desk.close());

  async function reopen(options: DeskOptions): Promise<void> {
    await desk.close();
    desk = await desks.openDesk(options);
  }

  test('shows its text before the copy, as text, and opens the checkout after the yes', async () => {
    const card = registerPatron(midland());
    await desk.scan(card);
    await text().waitFor();
    expect(await text().textContent()).toBe(TEXTS.en);
    expect(await text().locator('b').count()).toBe(0);
    expect(await desk.steps()).toBe('report:done search:done copy:later');
    expect(copyOf(card)).toBeUndefined();
    expect(await desk.advice.textContent()).toMatch(/ Answer until .+\.$/);
    // A scanner that is used now ends with Enter.
    await desk.page.keyboard.press('Enter');
    expect(await desk.button('The patron agrees').isEnabled()).toBe(true);
    expect(await desk.barriers()).toEqual([]);

    await desk.button('The patron agrees').click();
    await desk.checkoutOf(card);
    expect(copyOf(card)).toBeDefined();
  }, 60_000);

  test('takes the answer by keyboard alone, and checks out the item that was scanned before', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    desks.holdWork();
    try {
      await desk.scan(card);
      await desk.item.fill(book);
      await desk.page.keyboard.press('Enter');
      await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    } finally {
      desks.goOn();
    }
    await text().waitFor();
    for (const name of ['The patron does not agree', 'The patron agrees']) {
      await desk.page.keyboard.press('Shift+Tab');
      expect(await desk.panel.locator('button:focus').textContent()).toBe(name);
    }
    await desk.page.keyboard.press('Enter');
    await desk.checkoutOf(card);
    expect(riverside().state(card).checkouts).toHaveLength(1);
    // The card was reported before the item: that event had put the question, too.
    await waitFor('both events to end', () =>
      riverside()
        .state()
        .outcomes.every(({ state }) => state === 'done'),
    );
  }, 60_000);

  test('keeps the item that is scanned while the patron is asked', async () => {
    const card = registerPatron(midland());
    const book = shelveBook(riverside());
    await desk.scan(card);
    await text().waitFor();
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    await desk.button('The patron agrees').click();
    await desk.checkoutOf(card);
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('says that nothing was copied after a no, and the same card can be scanned again', async () => {
    const card = registerPatron(midland());
    await desk.scan(card);
    await desk.button('The patron does not agree').click();
    await desk.panel.getByText('The patron did not agree. Nothing was copied.').waitFor();
    expect(await text().isVisible()).toBe(false);
    expect(copyOf(card)).toBeUndefined();
    expect(await desk.barriers()).toEqual([]);

    await desk.scan(card);
    await desk.button('The patron agrees').click();
    await desk.checkoutOf(card);
  }, 60_000);

  test('shows no question after a cancel', async () => {
    const card = registerPatron(midland());
    await desk.scan(card);
    await text().waitFor();
    await desk.page.keyboard.press('Escape');
    await desk.panel.getByText('Cancelled: nothing was written.').waitFor();
    expect(await text().isVisible()).toBe(false);
    expect(copyOf(card)).toBeUndefined();
  }, 60_000);

  test('keeps the question where the answer does not arrive', async () => {
    const card = registerPatron(midland());
    await desk.scan(card);
    await text().waitFor();
    await desk.page.route('**/consent', (route) => route.abort());
    await desk.button('The patron agrees').click();
    await desk.panel.getByText('This was not recorded. Try again.').waitFor();
    expect(copyOf(card)).toBeUndefined();
    await desk.page.unroute('**/consent');
    await desk.button('The patron agrees').click();
    await desk.checkoutOf(card);
  }, 60_000);

  test.each(WORDS)(
    'says it in %s, at 320 pixels and without colours',
    async (language, headline, yes, words) => {
      await reopen({ language, width: 320, forcedColors: 'active' });
      await desk.scan(registerPatron(midland()));
      await text().waitFor();
      // Written once the panel is there, so that screen readers say it.
      await desk.headline.filter({ hasText: headline }).waitFor();
      expect(await desk.headline.textContent()).toBe(headline);
      expect(await text().textContent()).toBe(words);
      expect(await desk.button(yes).isVisible()).toBe(true);
      expect(await desk.overflow()).toBeLessThanOrEqual(0);
      expect(await desk.barriers()).toEqual([]);
    },
    60_000,
  );
});
