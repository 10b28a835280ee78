import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { startFakeReceiver, webhookSecret } from './support/fake-receiver.ts';
import {
  requestToken,
  sendRequest,
  withKoha,
  type Reply,
  type TestKoha,
  type TestOptions,
} from './support/with-koha.ts';

const PROGRAM = fileURLToPath(new URL('../../../apps/koha-plugin/t/bin/plugin-page.pl', import.meta.url));
const MODULES = ['Modern::Perl', 'CGI', 'Template', 'DBD::SQLite', 'Mojo::UserAgent'];
const PLUGINS = '/cgi-bin/koha/plugins/plugins-home.pl';
const RUN = '/cgi-bin/koha/plugins/run.pl';
const CLASS = 'Koha::Plugin::Org::PatronPassport';
const address = (method: string): string => `${RUN}?class=${encodeURIComponent(CLASS)}&method=${method}`;

const isPerlHere =
  spawnSync('perl', [...MODULES.map((name) => `-M${name}`), '-e1'], { stdio: 'ignore' }).status === 0;
if (!isPerlHere) process.stderr.write('Skipped: the pages of the plugin (Perl or a module is not here)\n');
const perlTest = isPerlHere ? test : test.skip;
const canSeal = spawnSync('perl', ['-MCrypt::OpenSSL::RSA', '-e1'], { stdio: 'ignore' }).status === 0;
const sealingTest = isPerlHere && canSeal ? test : test.skip;
const VECTORS = fileURLToPath(new URL('../../contract/vectors/join.json', import.meta.url));

/** What a receiver answers about a service of which nothing is to be said, without what it needs. */
const statusOfService = {
  library: { id: 'riverside', name: 'Riverside County Library' },
  checked_at: new Date().toISOString(),
  version: '1.0.0',
  workers: { alive: true, versions: ['1.0.0'] },
  pauses: [],
  planned: [],
  events: { queued: 0, working: 0, waiting: 0, failed: 0 },
  outcomes: { since: new Date().toISOString(), counts: [] },
  failures: [],
};

/** A page that says that it has stored these data, once it may. */
const pageThatStores = (folder: string, data: string): string => `
use strict; use warnings; use JSON::PP qw( decode_json );
my $before = decode_json( do { local $/ = undef; <STDIN> } )->{data};
open my $begun, '>', '${folder}/begun' or die; close $begun;
select undef, undef, undef, 0.02 while !-e '${folder}/goes_on';
my $data = ${data};
my $json = JSON::PP->new->canonical(0)->sort_by( sub { $JSON::PP::b cmp $JSON::PP::a } );
print $json->encode( { html => '<p>stored</p>', data => $data } );
`;
const ELSEWHERE = `{ %{$before}, receiver_url => 'https://elsewhere.example' }`;

/** Runs with a page of its own that stores; `goOn` lets it end. */
async function withStoringPage(
  data: string,
  run: (
    koha: TestKoha,
    desk: Desk,
    page: { readonly begun: Promise<unknown>; goOn(): void },
  ) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-page-'));
  const pluginPagesPath = join(folder, 'page.pl');
  writeFileSync(pluginPagesPath, pageThatStores(folder, data));
  const watcher = watch(folder);
  const page = {
    begun: once(watcher, 'change'),
    goOn: () => writeFileSync(join(folder, 'goes_on'), ''),
  };
  try {
    await withDesk({ pluginPagesPath }, async (koha, desk) => {
      koha.putSettings({ webhook: webhookAt('https://receiver.example') });
      await run(koha, desk, page);
    });
  } finally {
    watcher.close();
    rmSync(folder, { recursive: true });
  }
}

const webhookAt = (receiver_url: string) => ({
  receiver_url,
  library: 'riverside',
  secret: webhookSecret,
  patterns: ['^[0-9]+$'],
  staff_wait_ms: 0,
  self_check_wait_ms: 0,
});

interface Desk {
  readonly csrf: string;
  get(path: string): Promise<Reply>;
  post(form: Readonly<Record<string, string>>, steps?: readonly string[]): Promise<Reply>;
}

async function openDesk(koha: TestKoha): Promise<Desk> {
  const first = await sendRequest(koha.url + PLUGINS, 'GET', {});
  const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const csrf = /name="csrf-token" content="(\w+)"/.exec(String(first.body))?.[1] ?? '';
  return {
    csrf,
    get: (path) => sendRequest(koha.url + path, 'GET', { headers: { cookie } }),
    post: (form, steps = []) =>
      sendRequest(koha.url + RUN, 'POST', {
        body: new URLSearchParams([
          ...Object.entries({ class: CLASS, csrf_token: csrf, ...form }),
          ...steps.map((step): [string, string] => ['step', step]),
        ]).toString(),
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      }),
  };
}

const withDesk = (options: TestOptions, run: (koha: TestKoha, desk: Desk) => Promise<void>): Promise<void> =>
  withKoha({ pluginPagesPath: PROGRAM, ...options }, async (koha) => run(koha, await openDesk(koha)));

describe('the list of plugins', () => {
  test('offers the tool and the configuration, as Koha does, to whoever may run them', async () => {
    await withDesk({}, async (koha, desk) => {
      const all = String((await desk.get(PLUGINS)).body);
      expect(all).toContain(`href="${address('tool').replace('&', '&amp;')}"`);
      expect(all).toContain(`href="${address('configure').replace('&', '&amp;')}"`);

      koha.putPatron('DESK', { permissions: ['circulate:1', 'plugins:tool'] });
      const some = String((await desk.get(`${PLUGINS}?method=tool`)).body);
      expect(some).toContain('Run tool');
      expect(some).not.toContain('Configure');
      expect(String((await desk.get(`${PLUGINS}?method=report`)).body)).toContain('No plugins installed');
    });
  });

  // plugins/plugins-home.pl requires `plugins => '*'`: any permission of the module.
  test('is refused to whoever may do nothing with plugins', async () => {
    await withDesk({}, async (koha, desk) => {
      koha.putPatron('DESK', { permissions: ['circulate:1', 'borrowers:1', 'tools:1'] });
      const refused = await desk.get(PLUGINS);
      expect(refused.status).toBe(403);
      expect(String(refused.body)).not.toContain('Patron Passport');
      for (const permission of ['plugins:report', 'plugins', 'superlibrarian']) {
        koha.putPatron('DESK', { permissions: [permission] });
        expect((await desk.get(PLUGINS)).status).toBe(200);
      }
    });
  });

  test('of a Koha without the plugin is empty, and nothing of it runs', async () => {
    await withDesk({ plugin: false }, async (_koha, desk) => {
      expect(String((await desk.get(PLUGINS)).body)).toContain('No plugins installed');
      expect((await desk.get(address('tool'))).status).toBe(404);
    });
  });

  test('says that Perl is missing where it is, and Koha works without it', async () => {
    await withKoha({}, async (koha) => {
      const desk = await openDesk(koha);
      const list = await desk.get(PLUGINS);
      expect(list.status).toBe(200);
      expect(String(list.body)).toContain('id="no-perl"');
      expect(String(list.body)).not.toContain('href="/cgi-bin/koha/plugins/run.pl');
      expect((await desk.get(address('tool'))).status).toBe(503);
    });
  });
});

describe('a page of the plugin', () => {
  test.each(['report', 'install', 'new', 'uninstall', ''])('%s is none', async (method) => {
    await withDesk({}, async (_koha, desk) => {
      expect((await desk.get(address(method))).status).toBe(404);
    });
  });

  test('is refused to whoever may not run it', async () => {
    await withDesk({}, async (koha, desk) => {
      koha.putPatron('DESK', { permissions: ['circulate:1', 'borrowers:1', 'plugins:configure'] });
      expect((await desk.get(address('tool'))).status).toBe(403);
      koha.putPatron('DESK', { permissions: ['plugins:tool'] });
      expect((await desk.get(address('configure'))).status).toBe(403);
    });
  });

  perlTest.each(['23.11', '26.05'] as const)(
    'is made by the plugin’s own code on %s, in the language of the browser',
    async (release) => {
      await withDesk({ release }, async (koha, desk) => {
        const page = String((await desk.get(address('tool'))).body);
        expect(page).toContain('The service is not set up here yet');
        expect(page).toContain('<a class="brand"');
        const german = await sendRequest(koha.url + address('tool'), 'GET', {
          headers: { cookie: 'KohaOpacLanguage=de-DE' },
        });
        expect(String(german.body)).toContain('Der Dienst ist hier noch nicht eingerichtet');
      });
    },
  );

  perlTest('has around it what this Koha holds as text, not as a template', async () => {
    await withDesk({}, async (koha, desk) => {
      koha.putSettings({ libraries: [{ library_id: 'MAIN' }, { library_id: '[% 6 * 7 %]' }] });
      const page = String((await desk.get(address('tool'))).body);
      expect(page).toContain('<option value="[% 6 * 7 %]"');
      expect(page).toContain('<footer>');
    });
  });

  perlTest.each(['[% 6 * 7 %]', '../../etc', 'x', ''])(
    'is in English for the language "%s"',
    async (name) => {
      await withDesk({}, async (_koha, desk) => {
        const page = String((await desk.get(`${address('tool')}&language=${encodeURIComponent(name)}`)).body);
        expect(page).toContain('<html lang="en">');
        expect(page).toContain('The service is not set up here yet');
      });
    },
  );

  perlTest('sees this Koha: its preferences, types, categories and API users', async () => {
    await withDesk({}, async (koha, desk) => {
      const levels = async (): Promise<string> =>
        Array.from(
          String((await desk.get(address('tool'))).body).matchAll(/data-check="(\w+)" data-level="(\w+)"/g),
          ([, id, level]) => `${id}:${level}`,
        ).join(' ');
      expect(await levels()).toContain('api:ok user:ok');
      koha.putSettings({ RESTOAuth2ClientCredentials: '0', permissions: ['borrowers:edit_borrowers'] });
      expect(await levels()).toContain('api:fault user:fault');
    });
  });

  perlTest('does not count what only some libraries have as mandatory', async () => {
    const needs = {
      mode: 'copy',
      categories: ['PT'],
      branch: null,
      passport_attribute: 'PASSPORTED',
      home_key_attribute: null,
      seen_copies: false,
    };
    const receiver = await startFakeReceiver(() => ({ status: 200, body: { ...statusOfService, needs } }));
    const types = [{ code: 'PASSPORTED', unique_id: false }];
    try {
      const webhook = { receiverUrl: receiver.url, secret: webhookSecret };
      await withDesk({ webhook }, async (koha, desk) => {
        const level = async (libraries: readonly string[]): Promise<string | undefined> => {
          koha.putSettings({ attribute_types: [...types, { code: 'LOCKER', mandatory: true, libraries }] });
          const page = String((await desk.get(address('tool'))).body);
          return /data-check="types" data-level="(\w+)"/.exec(page)?.[1];
        };
        expect(await level(['MAIN'])).toBe('ok');
        expect(await level([])).toBe('fault');
      });
    } finally {
      receiver.close();
    }
  });

  perlTest('saves what is entered, and the next scan goes there', async () => {
    const receiver = await startFakeReceiver();
    const form = {
      method: 'configure',
      op: 'cud-save',
      receiver_url: receiver.url,
      library: 'riverside',
      secret: webhookSecret,
      staff_wait: '0',
      self_check_wait: '0',
      sip: 'kiosk\r\nself check 2',
      staff: '1',
    };
    try {
      await withDesk({}, async (koha, desk) => {
        expect(String((await desk.post({ ...form, csrf_token: 'forged' })).body)).toBe('Wrong CSRF token');
        expect(String((await desk.post({ ...form, receiver_url: 'nowhere' })).body)).toContain(
          'Nothing was saved',
        );
        expect(koha.settings().webhook).toBeNull();

        const service = String(koha.state('PASSPORT-SERVICE').patrons[0]?.patron_id);
        const saved = String((await desk.post({ ...form, service_user: service })).body);
        expect(saved).toContain('The configuration was saved.');
        expect(saved).not.toContain(webhookSecret);
        expect(koha.settings().webhook).toEqual({ receiver_url: receiver.url, library: 'riverside' });
        const copies = async () => (await koha.request('GET', '/api/v1/contrib/passport/copies')).status;
        expect(await copies()).toBe(200);
        await desk.post({ ...form, service_user: '' });
        expect(await copies()).toBe(403);
        await desk.get('/cgi-bin/koha/circ/circulation.pl?findborrower=21234000000017');
        const isScan = ({ body }: { readonly body: string }) => body.includes('patron.not_found');
        expect(receiver.events.filter(isScan)).toHaveLength(1);
        const shown = String((await desk.get(address('configure'))).body);
        expect(shown).toContain(`value="${receiver.url}"`);
        expect(shown).toMatch(/<textarea id="sip" [^>]+>kiosk\nself check 2<\/textarea>/);
      });
    } finally {
      receiver.close();
    }
  });

  perlTest('makes at one button what is missing, and Koha has it then', async () => {
    await withDesk({}, async (koha, desk) => {
      koha.putPatron('DESK', { permissions: ['superlibrarian'] });
      koha.putSettings({
        RESTOAuth2ClientCredentials: '0',
        categories: [{ patron_category_id: 'S', category_type: 'S' }, { patron_category_id: 'AD' }],
        circulation_rules: [{ rule: 'maxissueqty', value: '5' }],
      });
      koha.putPatron('PASSPORT-SERVICE', { api_keys: [] });
      const form = { method: 'configure', op: 'cud-setup' };
      const shown = String((await desk.get(address('configure'))).body);
      const steps = [...shown.matchAll(/name="step" value="(\w+)"/g)].map(([, step]) => step ?? '');
      expect(steps).toContain('category_PASSPORT');
      const made = String((await desk.post(form, steps)).body);
      const shownOnce = (name: string): string =>
        new RegExp(`passport_once_${name}">([^<]+)<`).exec(made)?.[1] ?? '';
      const token = await sendRequest(`${koha.url}/api/v1/oauth/token`, 'POST', {
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: shownOnce('client_id'),
          client_secret: shownOnce('client_secret'),
        }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(token.status).toBe(200);
      expect(koha.settings().categories.map(({ patron_category_id: id }) => id)).toEqual([
        'S',
        'AD',
        'PASSPORT',
      ]);
      const again = String((await desk.get(address('configure'))).body);
      expect([...again.matchAll(/data-step="(\w+)"/g)].map(([, step]) => step)).toEqual([]);
      expect(again).not.toContain(shownOnce('client_secret'));
    });
  });

  sealingTest.each(['23.11', '26.05'] as const)(
    'asks to join on %s: the keys of before are good, and nothing is reported while it waits',
    async (release) => {
      const receiver = await startFakeReceiver();
      const { invitation } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
        readonly invitation: { readonly payload: object };
      };
      const ends = Math.floor(Date.now() / 1000) + 3600;
      const payload = { ...invitation.payload, receiver: receiver.url, ends };
      const form = {
        method: 'configure',
        join_link: `${receiver.url}/join#${Buffer.from(JSON.stringify(payload)).toString('base64url')}`,
        join_koha_url: 'https://staff.midland.example.org',
      };
      try {
        await withDesk({ release }, async (koha, desk) => {
          koha.putPatron('DESK', { permissions: ['superlibrarian'] });
          await desk.post({ method: 'configure', op: 'cud-setup' }, [
            'secret',
            'category_PASSPORT',
            'type_PASSPORTID',
          ]);
          koha.putSettings({ circulation_rules: [{ rule: 'maxissueqty', value: '5' }] });
          const { clientId: client_id, clientSecret: client_secret } = koha.credentials;
          const pair = { grant_type: 'client_credentials', client_id, client_secret };
          expect((await requestToken(koha, pair)).status).toBe(200);
          const page = String((await desk.post({ ...form, op: 'cud-join-text' })).body);
          expect(page).toContain('data-state="waiting"');
          expect(page).toContain('passport-join-request.');
          expect((await requestToken(koha, pair)).status).toBe(200);
          expect(koha.settings().webhook).toBeNull();
          await desk.get('/cgi-bin/koha/circ/circulation.pl?findborrower=21234000000017');
          expect(receiver.events.filter(({ body }) => body.includes('patron.not_found'))).toEqual([]);
          const [, join_seen = ''] = /name="join_seen" value="([^"]+)"/.exec(page) ?? [];
          await desk.post({ method: 'configure', op: 'cud-join-again', join_seen });
          expect(String((await desk.get(address('configure'))).body)).toContain('data-state="open"');
          expect((await requestToken(koha, pair)).status).toBe(200);
        });
      } finally {
        receiver.close();
      }
    },
  );

  perlTest('is taken at its word that it has stored something by a POST, and by nothing else', async () => {
    await withStoringPage(ELSEWHERE, async (koha, desk, page) => {
      page.goOn();
      expect((await desk.get(address('configure'))).body).toBe('<p>stored</p>');
      expect(koha.settings().webhook?.receiver_url).toBe('https://receiver.example');
      expect((await desk.post({ method: 'configure', op: 'cud-save' })).body).toBe('<p>stored</p>');
      expect(koha.settings().webhook?.receiver_url).toBe('https://elsewhere.example');
    });
  });

  perlTest('that stores nothing leaves the settings that come while it runs', async () => {
    await withStoringPage('$before', async (koha, desk, page) => {
      const posted = desk.post({ method: 'configure', op: 'cud-save' });
      await page.begun;
      koha.putSettings({ webhook: webhookAt('https://newer.example') });
      page.goOn();
      expect((await posted).body).toBe('<p>stored</p>');
      expect(koha.settings().webhook?.receiver_url).toBe('https://newer.example');
    });
  });
});
