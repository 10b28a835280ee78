import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startKohaDouble, type KohaDouble } from '@passport/koha-double';
import { buildJoinRequest, callRedis, findChromium, invitationIn, startChromium } from '@passport/testkit';
import type { Browser } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { registerPatron } from '../harness/people.ts';
import { canPlayPerlPage } from '../harness/perl-page.ts';
import { runPassport } from '../harness/run-passport.ts';
import { startConsortium, type Consortium } from '../harness/start-consortium.ts';
import { openDesk, PAGES, SCRIPT, type Desk } from '../harness/start-desk.ts';

const CONFIGURE = `/cgi-bin/koha/plugins/run.pl?class=${encodeURIComponent('Koha::Plugin::Org::PatronPassport')}&method=configure`;
const ANSWER_MS = 30_000;

let browser: Browser;
let consortium: Consortium<'midland'>;

const receiver = (): string => consortium.services.receivers[0]?.url ?? '';
const env = (): Readonly<Record<string, string>> => ({
  ...consortium.services.env,
  PASSPORT_RECEIVER: receiver(),
});

/** What people do on the way: at the librarian's page, and what the operator types. */
interface Effort {
  clicks: number;
  keys: number;
  commands: number;
  operatorKeys: number;
}

/** A Koha in which nothing is set up but the plugin, without anybody's key; the clerk at its desk is a superlibrarian. */
async function startBareKoha(library: string): Promise<KohaDouble> {
  const koha = await startKohaDouble({ library, pluginScriptPath: SCRIPT, pluginPagesPath: PAGES });
  koha.deletePatron('PASSPORT-SERVICE');
  koha.putPatron('DESK', { permissions: ['superlibrarian'] });
  koha.putSettings({
    plugin_service_user: null,
    RESTOAuth2ClientCredentials: '0',
    ExtendedPatronAttributes: '0',
    staffClientBaseURL: koha.url,
    attribute_types: [],
    categories: [
      { patron_category_id: 'STAFF', category_type: 'S' },
      { patron_category_id: 'AD', category_type: 'A' },
    ],
    circulation_rules: [
      { patron_category_id: 'AD', rule: 'maxissueqty', value: '7' },
      { patron_category_id: 'AD', rule: 'issuelength', value: '21' },
    ],
  });
  for (let each = 1; each <= 9; each += 1)
    koha.putPatron(`25678${String(each * 11_111_111).padStart(9, '0')}`, { surname: 'Reader' });
  return koha;
}

/** The `passport` command, as an operator types it. */
async function command(effort: Effort | null, line: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await runPassport(line, { env: env(), input });
  if (effort !== null) {
    effort.commands += 1;
    effort.operatorKeys +=
      `passport ${line.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')}\n`.length;
  }
  if (code !== 0) throw new Error(`passport ${line.join(' ')} ended with ${code}:\n${out}${err}`);
  return out;
}

const invite = async (effort: Effort | null, library: string): Promise<string> =>
  (await command(effort, ['library', 'invite', library, '--name', `${library} library`])).trim();

/** The configuration page, and what is done on it: every click and every key is counted. */
function atPage(desk: Desk, effort: Effort) {
  const { page } = desk;
  const text = (selector: string) => page.locator(selector).innerText();
  return {
    text,
    open: () => desk.open(CONFIGURE),
    state: () => page.locator('#passport_join').getAttribute('data-state'),
    async click(selector: string): Promise<void> {
      effort.clicks += 1;
      await page.locator(selector).click();
    },
    /** From the clipboard: Ctrl and V. */
    async paste(selector: string, value: string): Promise<void> {
      effort.clicks += 1;
      effort.keys += 2;
      await page.locator(selector).click();
      await page.locator(selector).fill(value);
    },
    async choose(selector: string, value: string): Promise<void> {
      effort.clicks += 2;
      await page.locator(selector).selectOption(value);
    },
    async scan(card: string): Promise<void> {
      effort.keys += card.length + 1;
      await desk.scan(card);
    },
    shot: async (name: string) => {
      const folder = process.env['PASSPORT_TEST_SHOTS'];
      if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    },
  };
}

/** A token for a key pair, and what Koha says to one. */
const tokenOf = async (koha: KohaDouble, id: string, secret: string): Promise<string> => {
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
  const answer = await fetch(`${koha.url}/api/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  return token ?? `none: ${answer.status}`;
};
const statusWith = (koha: KohaDouble, token: string): Promise<number> =>
  fetch(`${koha.url}/api/v1/patrons?_per_page=1`, { headers: { authorization: `Bearer ${token}` } }).then(
    ({ status }) => status,
  );

const shown = (seconds: number): string => `${Math.round(seconds * 10) / 10} s`;
const post = (body: unknown): Promise<number> =>
  fetch(`${receiver()}/join`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }).then(({ status }) => status);
const configuration = (): string => readFileSync(consortium.services.env['PASSPORT_CONFIG'] ?? '', 'utf8');

const found = findChromium();
if (found === null) stderr.write('Skipped: joining in a browser (no Chromium on the PATH)\n');
const canRun = found !== null && canPlayPerlPage(['Crypt::OpenSSL::RSA']);

(canRun ? describe : describe.skip)('a library joins', () => {
  beforeAll(async () => {
    browser = await startChromium();
    consortium = await startConsortium({ libraries: { midland: { cards: ['^21234\\d{9}$'] } } });
    const path = consortium.services.env['PASSPORT_CONFIG'] ?? '';
    const written = parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, stringify({ ...written, public: { receiver: receiver() } }));
    await command(null, ['config', 'reload']);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await consortium?.stop();
  }, 60_000);

  test('from a Koha in which nothing is set up to a green doctor and the first copy', async () => {
    const effort: Effort = { clicks: 0, keys: 0, commands: 0, operatorKeys: 0 };
    const koha = await startBareKoha('riverside');
    const desk = await openDesk(browser, koha.url, {});
    const page = atPage(desk, effort);
    try {
      const startedAt = performance.now();
      const link = await invite(effort, 'riverside');

      await page.open();
      await page.shot('1-bare');
      await page.click('input[name=step][value=rules_PASSPORT]');
      await page.choose('select[name=choice_rules_PASSPORT]', 'AD');
      await page.click('#passport_make input[type=submit]');
      await page.shot('2-made');
      const pair = [
        await page.text('#passport_once_client_id'),
        await page.text('#passport_once_client_secret'),
      ] as const;
      await page.paste('#join_link', link);
      await page.click('#passport_join_form input[type=submit]');
      await page.shot('3-link');
      expect(await page.text('#passport_join_library')).toBe('riverside (riverside library)');
      expect(await desk.page.locator('#join_koha_url').inputValue()).toBe(koha.url);
      expect(await desk.page.locator('#join_cards').inputValue()).toBe('^25678\\d{9}$');
      expect(await desk.barriers()).toEqual([]);
      await page.click('button[value=cud-join-send]');
      await page.shot('4-waiting');
      expect(await page.state()).toBe('waiting');
      expect(await desk.barriers()).toEqual([]);
      const fingerprint = await page.text('#passport_join_fingerprint');
      // what is in use stays so until the library is accepted
      const token = await tokenOf(koha, ...pair);
      expect(await statusWith(koha, token)).toBe(200);

      expect(await command(effort, ['library', 'requests'])).toContain(`fingerprint  ${fingerprint}`);
      await command(effort, [
        'library',
        'accept',
        'riverside',
        '--fingerprint',
        fingerprint,
        '--allow-private',
        '--apply',
      ]);
      expect(await command(effort, ['doctor', 'riverside'])).toContain(
        'riverside riverside library: nothing wrong',
      );
      await command(effort, ['library', 'start', 'riverside']);
      await page.click('#passport_join_again a');
      await page.shot('5-connected');
      expect(await page.state()).toBe('connected');
      expect([await tokenOf(koha, ...pair), await statusWith(koha, token)]).toEqual(['none: 403', 401]);

      const card = registerPatron(consortium.doubles.midland);
      await page.scan(card);
      await desk.checkoutOf(card);
      const seconds = (performance.now() - startedAt) / 1000;
      expect(koha.state(card).patrons).toHaveLength(1);

      stdout.write(
        `Joined in ${shown(seconds)}: at the Koha ${effort.clicks} clicks and ${effort.keys} keys (15 of them the card), by the operator ${effort.commands} commands of ${effort.operatorKeys} keys\n`,
      );
      const path = env()['PASSPORT_CONFIG'] ?? '';
      const file = join(dirname(path), 'secrets', 'koha', 'riverside_client_secret');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const secret = readFileSync(file, 'utf8').trim();
      for (const text of [configuration(), await consortium.services.logs(), await desk.page.content()])
        expect(text).not.toContain(secret);
      expect(effort.clicks).toBeLessThanOrEqual(8);
      expect(effort.keys).toBeLessThanOrEqual(17);
      expect(effort.commands).toBeLessThanOrEqual(5);

      // and a superlibrarian takes the key away, though the service says that it knows the library
      await page.open();
      await page.click('#passport_join_again button');
      await page.shot('5-disconnect');
      expect(await desk.barriers()).toEqual([]);
      await page.click('#passport_join_end button');
      expect(await page.state()).toBe('open');
      const after = await runPassport(['doctor', 'riverside'], { env: env() });
      expect(after.code).not.toBe(0);
      expect(`${after.out}${after.err}`).toContain('credentials_refused');
    } finally {
      await desk.close();
      await koha.close();
    }
  }, 180_000);

  test(
    'and a request that is not the one of the library never enters',
    async () => {
      const link = await invite(null, 'lakeside');
      const invitation = invitationIn(link);
      const before = configuration();
      const good = buildJoinRequest(invitation, {
        koha: {
          url: 'https://staff.lakeside.example.org',
          version: '25.05.01',
          plugin: '1.0.0',
          branches: 3,
        },
      });

      // another library's name or invitation, altered on the way, without the token, after its end, too old
      const { body, mac } = good;
      expect(await post({ body: body.replace('lakeside', 'nakeside'), mac })).toBe(404);
      expect(await post({ body, mac: buildJoinRequest(invitation, {}, { token: 'A'.repeat(43) }).mac })).toBe(
        404,
      );
      expect(await post(buildJoinRequest({ ...invitation, invitation: `inv_${'A'.repeat(22)}` }))).toBe(404);
      const old = { sent_at: Math.floor(Date.now() / 1000) - 3600 };
      expect(await post(buildJoinRequest(invitation, old))).toBe(422);
      expect(await post('x'.repeat(9_000))).toBe(413);
      expect(await command(null, ['library', 'requests'])).toContain('no requests');

      // the one of the library, once more (a replay of the same bytes), and another behind it
      expect([await post(good), await post(good), await post(buildJoinRequest(invitation))]).toEqual([
        202, 202, 409,
      ]);
      const accept = (fingerprint: string, id = 'lakeside') =>
        runPassport(['library', 'accept', id, '--fingerprint', fingerprint, '--apply'], { env: env() });
      const wrong = await accept('00000 00000 00000 00000');
      expect(wrong.code).not.toBe(0);
      expect(`${wrong.out}${wrong.err}`).toContain('another fingerprint');

      // the name of a member cannot be had
      const taken = await runPassport(['library', 'invite', 'midland', '--name', 'Midland'], { env: env() });
      expect(taken.code).not.toBe(0);
      expect(configuration()).toBe(before);

      // declined, and another one after its end: as if there had never been an invitation
      await command(null, ['library', 'decline', 'lakeside']);
      expect(await post(good)).toBe(404);
      const ending = invitationIn(await invite(null, 'lakeside'));
      expect(await post(buildJoinRequest(ending))).toBe(202);
      const keys = (await callRedis(consortium.redis, ['KEYS', `*${ending.invitation}*`])) as string[];
      expect(keys).not.toEqual([]);
      for (const key of keys) await callRedis(consortium.redis, ['PEXPIRE', key, '0']);
      expect(await post(buildJoinRequest(ending))).toBe(404);
      expect((await accept('00000 00000 00000 00000')).code).not.toBe(0);
      expect(configuration()).toBe(before);
      expect(await consortium.services.logs()).not.toContain(invitation.token);
    },
    ANSWER_MS * 2,
  );

  test(
    'a link to another host is shown as one, and what is pasted twice is one request',
    async () => {
      const effort: Effort = { clicks: 0, keys: 0, commands: 0, operatorKeys: 0 };
      const koha = await startBareKoha('hillside');
      const desk = await openDesk(browser, koha.url, { width: 320 });
      const page = atPage(desk, effort);
      try {
        await page.open();
        await page.click('input[name=step][value=rules_PASSPORT]');
        await page.choose('select[name=choice_rules_PASSPORT]', 'AD');
        await page.click('#passport_make input[type=submit]');
        const link = await invite(null, 'hillside');
        await page.paste('#join_link', link.replace(receiver(), 'https://passport.example.org'));
        await page.click('#passport_join_form input[type=submit]');
        expect(await page.text('#passport_join_fault')).toContain('begins with another address');
        await page.shot('6-phishing-320');

        await page.paste('#join_link', link);
        await page.click('#passport_join_form input[type=submit]');
        await page.shot('7-link-320');
        await page.click('button[value=cud-join-text]');
        await page.shot('8-text-320');
        await desk.page.locator('#passport_join_text').waitFor();
        await desk.page.waitForLoadState();
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        expect(await desk.page.evaluate(overflow)).toBe(0);
        expect(await desk.barriers()).toEqual([]);
        const text = await desk.page.locator('#passport_join_text').inputValue();
        const fingerprint = await page.text('#passport_join_fingerprint');
        for (const pasted of [text, `${text.slice(0, 70)}\n${text.slice(70)}`])
          expect(await command(null, ['library', 'requests', '--paste'], pasted)).toContain(fingerprint);
        await page.click('button[value=cud-join-again]');
        expect(await page.state()).toBe('open');
      } finally {
        await desk.close();
        await koha.close();
      }
    },
    ANSWER_MS * 3,
  );
});
