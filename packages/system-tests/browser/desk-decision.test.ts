import { findChromium, waitFor } from '@passport/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stderr } from 'node:process';
import { registerPatron, shelveBook } from '../harness/people.ts';
import { startDesks, type Desk, type Desks } from '../harness/start-desk.ts';

let desks: Desks;
let desk: Desk;
const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const STAFF = ['circulate:1', 'borrowers:1', 'catalogue:1', 'tools:1', 'plugins:1'];
/** A card that midland and lakeside have, for two persons. */
function twins(): string {
  const card = registerPatron(midland());
  const twin = { surname: 'Other', category_id: 'AD', library_id: 'MAIN', expiry_date: '2037-12-31' };
  const born = { date_of_birth: '1980-02-29' };
  desks.consortium.doubles.lakeside.putPatron(card, { ...twin, ...born });
  return card;
}
const child = () =>
  registerPatron(midland(), { columns: { date_of_birth: `${new Date().getFullYear() - 9}-01-01` } });
/** The event that the page follows. */
const noted = async (): Promise<string> => String(await desk.page.evaluate('history.state.passport.eventId'));
const csrfToken = async (): Promise<string> =>
  (await desk.page.locator('meta[name="csrf-token"]').getAttribute('content')) ?? '';
/** Another tab of the same session goes to another branch. */
const moveTo = async (branch: string): Promise<void> =>
  desk.page.evaluate(
    async ([to, token]) => {
      const body = new URLSearchParams({ branch: to, csrf_token: token, op: 'cud-set' });
      await fetch('/cgi-bin/koha/circ/set-library.pl', { method: 'POST', body });
    },
    [branch, await csrfToken()] as const,
  );
/** What a page that anybody has changed can send with the session of the desk; `token`: that of Koha's page against forgery. */
const decide = async (
  id: string,
  question: string,
  option: string,
  token?: string,
): Promise<[number, string]> =>
  desk.page.evaluate(
    async ([eventId, said, content]) => {
      const answer = await fetch(`/api/v1/contrib/passport/scans/${eventId}/decision`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...(content !== '' && { 'CSRF-TOKEN': content }) },
        body: JSON.stringify(said),
      });
      const body = (await answer.json().catch(() => ({}))) as { error_code?: string };
      return [answer.status, body.error_code ?? ''] as [number, string];
    },
    [id, { question, option }, token ?? (await csrfToken())] as const,
  );
const copyOf = (card: string) => riverside().state(card).patrons[0];

const found = findChromium();
if (found === null) stderr.write('Skipped: decisions at the desk (no Chromium on the PATH)\n');

(found === null ? describe.skip : describe)('a card that staff have to decide about', () => {
  beforeAll(async () => {
    desks = await startDesks({
      riverside: { eligibility: { min_age: 16, override: { soft: ['min_age'] } } },
    });
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(async () => {
    desks.configure({ staffWaitMs: 0 });
    desk = await desks.openDesk();
  });
  afterEach(async () => {
    riverside().putPatron('DESK', { permissions: STAFF });
    await desk.close();
  });

  test('T-10 of two libraries is nobody’s until staff have chosen: by one key, and no scanner chooses', async () => {
    const card = twins();
    await desk.scan(card);
    await desk.panel.getByText(/^Several libraries use this card number: .*midland.*lakeside/i).waitFor();
    expect(await desk.advice.textContent()).toMatch(
      /^Ask the patron which library it is, and choose it\. Answer until .+\.$/,
    );
    expect(await desk.panel.textContent()).not.toContain('Other');
    expect(await desk.steps()).toBe('report:done search:several copy:later');
    // A scanner that is used now ends with Enter: the item waits with whoever is chosen.
    const book = shelveBook(riverside());
    await desk.page.keyboard.type(book);
    await desk.page.keyboard.press('Enter');
    await desk.panel.getByText('One item is waiting to be checked out.').waitFor();
    expect(copyOf(card)).toBeUndefined();
    expect(await desk.barriers()).toEqual([]);
    await desk.panel.locator('.decision button', { hasText: 'lakeside library' }).waitFor();
    // Nor does one that sends each character as Alt and its digits on the keypad, or AltGr.
    for (const key of ['Alt+Numpad1', 'Control+Alt+1', '1']) await desk.page.keyboard.press(key);
    expect(await desk.panel.locator('.decision button').first().isEnabled()).toBe(true);
    await desk.item.fill('');
    const options = await desk.panel.locator('.decision button').allTextContents();
    await desk.page.keyboard.press(
      `Alt+${options.findIndex((text) => text.startsWith('lakeside library')) + 1}`,
    );
    await desk.checkoutOf(card);
    expect(copyOf(card)).toMatchObject({ surname: 'Other' });
    await waitFor('the item', () => riverside().state(card).checkouts.length === 1);
    expect(riverside().state(card).checkouts).toMatchObject([{ external_id: book }]);
  }, 60_000);

  test('of two libraries is chosen once, of those two alone, at the branch of the scan, and again at no later time', async () => {
    const card = twins();
    await desk.scan(card);
    await desk.panel.locator('.decision button').first().waitFor();
    const id = await noted();
    expect(await decide(id, 'HOME_CHOICE', 'midland', '')).toEqual([403, '']);
    expect(await decide(id, 'HOME_CHOICE', 'riverside')).toEqual([409, 'no_question']);
    expect(await decide(id, 'HOME_CHOICE', 'hillside')).toEqual([409, 'no_question']);
    expect(await decide(id, 'OVERRIDE', 'DOCUMENT_SEEN')).toEqual([409, 'no_question']);
    await moveTo('NORTH');
    expect(await decide(id, 'HOME_CHOICE', 'midland')).toEqual([403, 'other_branch']);
    await moveTo('MAIN');
    expect(copyOf(card)).toBeUndefined();
    await desk.panel.locator('.decision button', { hasText: 'midland library' }).click();
    await desk.checkoutOf(card);
    expect(await decide(id, 'HOME_CHOICE', 'lakeside')).toEqual([409, 'no_question']);
    expect(riverside().state(card).patrons).toHaveLength(1);
  }, 60_000);

  test('of somebody too young is refused, and copied where staff who may override it say why', async () => {
    const card = child();
    await desk.scan(card);
    await desk.panel.getByText('Found at midland library, but: the patron is too young.').waitFor();
    expect(await desk.steps()).toBe('report:done search:done copy:stopped');
    await desk.page.keyboard.press('Enter');
    expect(copyOf(card)).toBeUndefined();
    expect(await desk.barriers()).toEqual([]);
    await desk.page.keyboard.press('Alt+2');
    await desk.checkoutOf(card);
    expect(copyOf(card)).toBeDefined();
  }, 60_000);

  test('of somebody too young stays refused where staff may not override it, whatever their page sends', async () => {
    const [card, other] = [child(), child()];
    await desk.scan(card);
    await desk.panel.locator('.decision button').first().waitFor();
    const id = await noted();
    riverside().putPatron('DESK', {
      permissions: ['circulate:circulate_remaining_permissions', 'borrowers:1', 'catalogue:1'],
    });
    expect(await decide(id, 'OVERRIDE', 'DOCUMENT_SEEN')).toEqual([403, 'not_allowed']);
    await desk.panel.locator('.decision button').first().click();
    await desk.panel.getByText('This takes the permission to force a checkout.').waitFor();
    await desk.scan(other);
    await desk.panel.getByText('but: the patron is too young.').waitFor();
    expect(await desk.panel.locator('.decision').isVisible()).toBe(false);
    await waitFor('the end', () =>
      riverside()
        .state()
        .outcomes.some(({ outcome }) => outcome === 'NOT_ELIGIBLE'),
    );
    expect([copyOf(card), copyOf(other)]).toEqual([undefined, undefined]);
  }, 60_000);

  test.each([
    [
      'en',
      'Several libraries use this card number: midland library and lakeside library.',
      'A document was shown',
    ],
    [
      'fr',
      'Plusieurs bibliothèques utilisent ce numéro de carte\u00a0: midland library et lakeside library.',
      'Un document a été présenté',
    ],
    [
      'es',
      'Varias bibliotecas usan este número de carné: midland library y lakeside library.',
      'Se ha mostrado un documento',
    ],
    [
      'de',
      'Mehrere Bibliotheken verwenden diese Ausweisnummer: midland library und lakeside library.',
      'Ein Dokument wurde vorgelegt',
    ],
  ])(
    'is put to staff in %s, at 320 pixels and without colours',
    async (language, choice, reason) => {
      await desk.close();
      desk = await desks.openDesk({ language, width: 320, forcedColors: 'active' });
      await desk.scan(twins());
      await desk.panel.locator('.decision button').first().waitFor();
      await desk.headline.filter({ hasText: choice }).waitFor();
      expect(await desk.headline.textContent()).toBe(choice);
      expect(await desk.overflow()).toBeLessThanOrEqual(0);
      expect(await desk.barriers()).toEqual([]);
      await desk.scan(child());
      await desk.panel.locator('.decision button', { hasText: reason }).waitFor();
      expect(await desk.overflow()).toBeLessThanOrEqual(0);
      expect(await desk.barriers()).toEqual([]);
    },
    60_000,
  );
});
