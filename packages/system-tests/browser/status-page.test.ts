import { createServer, type Server, type AddressInfo } from 'node:net';
import { stderr } from 'node:process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findChromium, waitFor } from '@passport/testkit';
import { registerPatron } from '../harness/people.ts';
import { canPlayPerlPage } from '../harness/perl-page.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startDesks, type Desk, type DeskOptions, type Desks } from '../harness/start-desk.ts';

let desks: Desks;
let desk: Desk;

const HOME = '/cgi-bin/koha/mainpage.pl';
const run = (method: string): string =>
  `/cgi-bin/koha/plugins/run.pl?class=${encodeURIComponent('Koha::Plugin::Org::PatronPassport')}&method=${method}`;
const TOOL = run('tool');
const CONFIGURE = run('configure');
/** Two seconds of them wait for the receiver, at most; the rest is what a busy machine takes for a window and its page. */
const WITHIN_SECONDS_MS = 12_000;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 'not the one').toString('base64')}`;

const midland = () => desks.consortium.doubles.midland;
const riverside = () => desks.consortium.doubles.riverside;
const text = (selector: string) => desk.page.locator(selector).innerText();
const tone = () => desk.page.locator('#passport_headline').getAttribute('data-tone');
/** How wide the page is beyond the window. */
const overflow = () =>
  desk.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** Each check of the set-up with its level, `clock:ok`. */
async function levels(): Promise<string[]> {
  const checks = await desk.page.locator('#passport_checks > li').all();
  return Promise.all(
    checks.map(async (check) =>
      [await check.getAttribute('data-check'), await check.getAttribute('data-level')].join(':'),
    ),
  );
}

/** Opens the page, in a new window, and returns how long that took in milliseconds. */
async function open(path: string, options: DeskOptions = {}): Promise<number> {
  desk = await desks.openDesk(options);
  const startedAt = performance.now();
  await desk.open(path);
  return performance.now() - startedAt;
}

async function scanned(cardnumber: string): Promise<string> {
  const client = desks.consortium.at('riverside');
  const { eventId } = await client.scan({ cardnumber, item_barcode: null });
  await client.follow(eventId ?? '', { timeoutMs: 15_000 });
  return eventId ?? '';
}

/** An answer of the receiver is good for two seconds. */
const until = (what: string, isSo: () => Promise<boolean>) =>
  waitFor(
    what,
    async () => {
      await desk.open(TOOL);
      return isSo();
    },
    { timeoutMs: 15_000, everyMs: 500 },
  );

const found = findChromium();
if (found === null) stderr.write('Skipped: the status page in a browser (no Chromium on the PATH)\n');
const canRun = found !== null && canPlayPerlPage();

(canRun ? describe : describe.skip)('the status page of the plugin', () => {
  beforeAll(async () => {
    desks = await startDesks();
  }, 60_000);
  afterAll(() => desks?.stop(), 60_000);
  beforeEach(() => desks.configure());
  afterEach(() => desk.close());

  test('is found where Koha lists plugins, says that all is well, and counts the outcomes of today', async () => {
    await scanned(registerPatron(midland()));
    await scanned('21234987654321');
    await open(HOME);
    await desk.page.getByRole('link', { name: 'Plugins' }).click();
    await desk.page.getByRole('link', { name: 'Run tool' }).click();

    expect(await text('#passport_headline')).toBe('The service is running.');
    expect(await tone()).toBe('good');
    expect(await text('#passport_outcomes tbody')).toMatch(
      /^(?:Copied from a partner library\.|No partner library knows this card\.)\t1\n/,
    );
    expect(await text('#passport_outcomes tfoot')).toBe('All\t2');
    expect(await text('#passport_failed_none')).toBe('None.');
    expect((await levels()).filter((level) => !level.endsWith(':ok'))).toEqual([]);
    expect(await desk.page.content()).not.toContain('21234987654321');
    expect(await desk.barriers()).toEqual([]);
    await desk.page.getByRole('link', { name: 'Configuration' }).click();
    await desk.page.locator('#receiver_url').waitFor();
  }, 60_000);

  test('tries a card as a scan of it would end, and nobody is copied', async () => {
    const card = registerPatron(midland());
    await open(TOOL, { width: 320 });
    const tryCard = async (number: string): Promise<string> => {
      await desk.page.locator('#passport_card_number').fill(number);
      await desk.page.getByRole('button', { name: 'Try this card' }).click();
      return text('#passport_card_answer strong');
    };
    expect(await tryCard(card)).toBe('Found at midland library. A scan would make the patron known here.');
    expect(riverside().state(card).patrons).toEqual([]);
    expect(await desk.page.content()).not.toContain(card);
    expect(await overflow()).toBe(0);
    expect(await desk.barriers()).toEqual([]);

    expect(await tryCard('21234987654329')).toBe('No partner library knows this card.');
    await scanned(card);
    expect(riverside().state(card).patrons).toHaveLength(1);
    expect(await tryCard(card)).toContain('A patron here has this card');
  }, 60_000);

  test('makes what is missing at the button of the configuration page', async () => {
    const { categories } = riverside().settings() as {
      readonly categories: readonly { readonly patron_category_id: string }[];
    };
    riverside().putPatron('DESK', { permissions: ['superlibrarian'] });
    riverside().putSettings({ categories: categories.filter((row) => row.patron_category_id !== 'PT') });
    try {
      await open(CONFIGURE, { width: 320 });
      expect(await text('[data-step=category_PT]')).toContain('The patron category PT');
      expect(await overflow()).toBe(0);
      expect(await desk.barriers()).toEqual([]);
      await desk.page.getByRole('button', { name: 'Make what is ticked' }).click();
      expect(await text('#passport_done')).toContain('Made: The patron category PT');
      expect(await levels()).toContain('categories:ok');
      expect(await desk.barriers()).toEqual([]);
    } finally {
      riverside().putSettings({ categories });
    }
  }, 60_000);

  test('lists a scan that failed by its event, with what to do, and the check finds the cause', async () => {
    const { categories } = riverside().settings() as {
      readonly categories: readonly { readonly patron_category_id: string }[];
    };
    riverside().putSettings({
      categories: categories.filter((row) => row.patron_category_id !== 'PT'),
    });
    try {
      const card = registerPatron(midland());
      const eventId = await scanned(card);
      await open(TOOL);
      await until('the failure', async () => (await desk.page.locator('#passport_failed').count()) === 1);
      const failure = await text('#passport_failed');
      expect(failure).toContain('The passport service is not set up correctly for riverside library.');
      expect(failure).toContain('a patron category is missing');
      expect(failure).toContain(eventId);
      expect(failure).toContain('What to do: Create this category (Administration, Patron categories)');
      expect(await levels()).toContain('categories:fault');
      expect(await desk.page.content()).not.toContain(card);
      expect(await desk.barriers()).toEqual([]);
    } finally {
      riverside().putSettings({ categories });
    }
  }, 60_000);

  test('says that no worker runs', async () => {
    const [worker] = desks.consortium.services.workers;
    await worker?.kill();
    try {
      await open(TOOL);
      await until('the stopped service', async () => (await tone()) === 'bad');
      expect(await text('#passport_headline')).toContain('The service is stopped at the moment.');
      expect(await levels()).toContain('worker:fault');
    } finally {
      await worker?.restart();
    }
    await until('the worker', async () => (await tone()) === 'good');
  }, 60_000);

  test('says that this library is paused, until when and why', async () => {
    const { env } = desks.consortium.services;
    const pause = ['library', 'pause', 'riverside', '--until', '2h', '--reason', 'Koha upgrade'];
    expect((await runPassport(pause, { env })).code).toBe(0);
    try {
      await open(TOOL);
      await until('the pause', async () => (await tone()) === 'warn');
      expect(await text('#passport_headline')).toBe('The service is running. This library is paused.');
      const lines = (await text('#passport_pauses')).split('\n');
      expect(lines).toEqual([
        expect.stringMatching(/^Patrons of this library are not found elsewhere until .*: Koha upgrade$/),
        expect.stringMatching(/^Cards scanned here wait until 20\d\d-\d\d-\d\d \d\d:\d\d: Koha upgrade$/),
      ]);
      expect(await desk.barriers()).toEqual([]);
    } finally {
      await runPassport(['library', 'resume', 'riverside'], { env });
    }
  }, 60_000);

  test('says plainly that the receiver is down, and checks this Koha all the same', async () => {
    desks.configure({ receiverUrl: 'http://127.0.0.1:9' });
    expect(await open(TOOL)).toBeLessThan(WITHIN_SECONDS_MS);
    expect(await text('#passport_headline')).toBe(
      'The service cannot be reached: nobody listens at this address.',
    );
    expect(await tone()).toBe('bad');
    expect(await levels()).toEqual(
      expect.arrayContaining(['receiver:fault', 'worker:unchecked', 'api:ok', 'user:ok']),
    );
    expect(await text('#passport_without')).toContain('cannot be shown');
    expect(await desk.barriers()).toEqual([]);
  }, 60_000);

  test('opens within seconds where the receiver takes the request and never answers', async () => {
    const silent = await startSilentServer();
    try {
      desks.configure({ receiverUrl: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` });
      expect(await open(TOOL)).toBeLessThan(WITHIN_SECONDS_MS);
      expect(await text('#passport_headline')).toMatch(/it did not answer within 2\d\d\d ms\.$/);
    } finally {
      silent.close();
    }
  }, 60_000);

  test('says that the secret is wrong, and where it is corrected', async () => {
    desks.configure({ secret: OTHER_SECRET });
    await open(TOOL);
    expect(await text('#passport_headline')).toContain('The service refuses this library.');
    expect(await levels()).toEqual(expect.arrayContaining(['receiver:ok', 'identity:fault']));
    expect(await text('#passport_checks')).toContain(
      'Correct library id or secret (Plugins, Patron Passport',
    );
    expect(await desk.page.content()).not.toContain(OTHER_SECRET);
  }, 60_000);

  test('is worked by keyboard alone: it is checked again, and left for the configuration', async () => {
    await open(TOOL);
    const reach = async (id: string): Promise<void> => {
      for (let presses = 0; presses < 40 && (await desk.focus()).id !== id; presses += 1) {
        await desk.page.keyboard.press('Tab');
      }
      expect((await desk.focus()).id).toBe(id);
    };
    await reach('passport_again');
    await Promise.all([desk.page.waitForEvent('load'), desk.page.keyboard.press('Enter')]);
    expect(await desk.page.locator('#passport_checks > li').count()).toBeGreaterThan(5);
    await reach('passport_configure');
    await desk.page.keyboard.press('Enter');
    await desk.page.locator('#passport_configuration').waitFor();
  }, 60_000);

  test.each([
    ['en', 'The service is running.', 'Save configuration'],
    ['fr-FR', 'Le service fonctionne.', 'Enregistrer la configuration'],
    ['es-ES', 'El servicio está en marcha.', 'Guardar la configuración'],
    ['de-DE', 'Der Dienst läuft.', 'Konfiguration speichern'],
  ])(
    'speaks the language of the page, as the configuration does, on 320 pixels and in forced colours: %s',
    async (language, headline, save) => {
      const look = { language, width: 320, forcedColors: 'active' } as const;
      await open(TOOL, look);
      expect(await text('#passport_headline')).toBe(headline);
      expect(await desk.page.locator('main').getAttribute('lang')).toBe(language.slice(0, 2));
      expect(await overflow()).toBe(0);
      expect(await desk.barriers()).toEqual([]);
      // What colours say is said in words, too.
      const marks = await desk.page.locator('#passport_checks .badge').allInnerTexts();
      expect(marks.every((mark) => mark !== '')).toBe(true);

      await desk.open(CONFIGURE);
      expect(await desk.page.getByRole('button', { name: save }).isVisible()).toBe(true);
      expect(await overflow()).toBe(0);
      expect(await desk.barriers()).toEqual([]);
    },
    60_000,
  );

  test('is refused to staff who may not use tool plugins', async () => {
    const staff = ['circulate:1', 'borrowers:1', 'catalogue:1', 'plugins:configure'];
    await open(HOME);
    riverside().putPatron('DESK', { permissions: staff });
    try {
      await desk.open('/cgi-bin/koha/plugins/plugins-home.pl');
      expect(await desk.page.getByRole('link', { name: 'Run tool' }).count()).toBe(0);
      await desk.open(TOOL);
      expect(await text('main')).toContain('You do not have permission to access this page.');
    } finally {
      riverside().putPatron('DESK', { permissions: [...staff, 'plugins:1'] });
    }
  }, 60_000);
});

function startSilentServer(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
