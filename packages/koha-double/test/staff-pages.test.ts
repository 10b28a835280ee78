import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  startFakeReceiver,
  webhookSecret,
  type FakeReceiver,
  type Respond,
} from './support/fake-receiver.ts';
import { sendRequest, withKoha, type Reply, type TestKoha, type TestOptions } from './support/with-koha.ts';

const circulation = '/cgi-bin/koha/circ/circulation.pl';
const member = '/cgi-bin/koha/members/member.pl';
const selfCheck = '/cgi-bin/koha/sco/sco-main.pl';
const card = '21234000000017';

/** A browser with the double's cookie. */
interface Browser {
  readonly csrf: string;
  readonly cookie: string;
  get(path: string): Promise<Reply>;
  post(path: string, form: Readonly<Record<string, string>>): Promise<Reply>;
}

async function openBrowser(koha: TestKoha, cookie?: string): Promise<Browser> {
  const first = await sendRequest(
    koha.url + circulation,
    'GET',
    cookie === undefined ? {} : { headers: { cookie } },
  );
  const own = cookie ?? (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const csrf = /name="csrf-token" content="(\w+)"/.exec(String(first.body))?.[1] ?? '';
  const headers = { cookie: own };
  return {
    csrf,
    cookie: own,
    get: (path) => sendRequest(koha.url + path, 'GET', { headers }),
    post: (path, form) =>
      sendRequest(koha.url + path, 'POST', {
        body: new URLSearchParams({ csrf_token: csrf, ...form }).toString(),
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      }),
  };
}

async function withDesk(
  options: TestOptions & { readonly respond?: Respond },
  run: (koha: TestKoha, browser: Browser, receiver: FakeReceiver) => Promise<void>,
): Promise<void> {
  const { respond, ...others } = options;
  const receiver = await startFakeReceiver(respond);
  const webhook = {
    receiverUrl: receiver.url,
    secret: webhookSecret,
    staffWaitMs: 300,
    selfCheckWaitMs: 300,
  };
  try {
    await withKoha({ webhook, ...others }, async (koha) => run(koha, await openBrowser(koha), receiver));
  } finally {
    receiver.close();
  }
}

describe('the checkout box', () => {
  test('a known card opens the patron, costs no event and no wait', () =>
    withDesk({}, async (koha, browser, receiver) => {
      koha.putPatron(card, { surname: 'Kovač', firstname: 'Ana' });
      const reply = await browser.get(`${circulation}?findborrower=${card}`);
      expect(reply.status).toBe(200);
      expect(reply.body).toContain('Checking out to <span dir="auto">Ana Kovač</span>');
      expect(receiver.events).toEqual([]);
    }));

  test('an unknown card goes to the patron search, commas as blanks', () =>
    withDesk({}, async (_koha, browser) => {
      const reply = await browser.get(`${circulation}?findborrower=Kova%C4%8D,Ana`);
      expect(reply.status).toBe(302);
      expect(reply.headers.get('location')).toBe(
        `${member}?quicksearch=1&circsearch=1&searchmember=Kova%C4%8D+Ana`,
      );
    }));

  test('a card is looked up, and reported, as another plugin rewrites it', () =>
    withDesk({ settings: { card_prefix: 'R-' } }, async (koha, browser, receiver) => {
      koha.putPatron('R-17', { surname: 'Rewritten' });
      expect((await browser.get(`${circulation}?findborrower=17`)).body).toContain('Rewritten');
      expect(receiver.events).toEqual([]);
      await browser.get(`${circulation}?findborrower=${card}`);
      expect(JSON.parse(receiver.events[0]?.body ?? '')).toMatchObject({ data: { cardnumber: `R-${card}` } });
    }));

  test('it looks at the card number only, not at the login name', () =>
    withDesk({}, async (koha, browser) => {
      koha.putPatron('9', { surname: 'X', userid: 'ana.k' });
      expect((await browser.get(`${circulation}?findborrower=ana.k`)).status).toBe(302);
    }));

  test('an event without an item is sent, and a copy that comes in time is found in the same page load', () =>
    withDesk({}, async (koha, browser, receiver) => {
      const load = browser.get(`${circulation}?findborrower=${card}`);
      while (receiver.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      koha.putPatron(card, { surname: 'Visitor' });
      const reply = await load;
      expect([reply.status, String(reply.body).includes('Visitor')]).toEqual([200, true]);
      const { data } = JSON.parse(receiver.events[0]?.body ?? '') as { data: object };
      const decides = ['HOME_CHOICE', 'OVERRIDE'];
      const desk = expect.any(String);
      const where = { branch: 'MAIN', interface: 'staff', operator: 2, desk };
      expect(data).toEqual({ cardnumber: card, ...where, decides });
    }));

  test('a final outcome ends the wait at once', () =>
    withDesk(
      {
        webhook: undefined,
        respond: () => ({ status: 202, body: { event_id: 'e1', status: 'accepted' } }),
      },
      async (koha, browser, receiver) => {
        koha.putSettings({ webhook: webhookTo(receiver, 60_000) });
        const body = { event_id: 'e1', seq: 1, state: 'done', outcome: 'NOT_FOUND' };
        await koha.request('PUT', '/api/v1/contrib/passport/scans/e1/outcome', { body });
        const reply = await browser.get(`${circulation}?findborrower=${card}`);
        expect(reply.status).toBe(302);
      },
    ));

  test('at most one page waits: the next goes on at once', () =>
    withDesk({ webhook: undefined }, async (koha, browser, receiver) => {
      koha.putSettings({ webhook: webhookTo(receiver, 60_000) });
      const first = browser.get(`${circulation}?findborrower=${card}`);
      while (receiver.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect((await browser.get(`${circulation}?findborrower=21234000000054`)).status).toBe(302);
      koha.putPatron(card, { surname: 'Visitor' });
      expect((await first).status).toBe(200);
    }));

  test('names are not sent anywhere', () =>
    withDesk({}, async (_koha, browser, receiver) => {
      await browser.get(`${circulation}?findborrower=Kovac`);
      expect(receiver.events).toEqual([]);
    }));
});

function webhookTo(
  receiver: FakeReceiver,
  waitMs: number,
): NonNullable<object> & {
  receiver_url: string;
  secret: string;
  library: string;
  patterns: string[];
  staff_wait_ms: number;
  self_check_wait_ms: number;
} {
  return {
    receiver_url: receiver.url,
    secret: webhookSecret,
    library: 'midland',
    patterns: ['^\\d{14}$'],
    staff_wait_ms: waitMs,
    self_check_wait_ms: waitMs,
  };
}

describe('lending at the desk', () => {
  test('an item is checked out at the branch of the session, and the list shows it', () =>
    withDesk({}, async (koha, browser) => {
      const { patron_id } = koha.putPatron(card, { surname: 'X' });
      koha.putItem('39', { biblio: { title: 'The <Quiet> Weir' } });
      await browser.post('/cgi-bin/koha/circ/set-library.pl', { op: 'cud-set-library', branch: 'NORTH' });
      const form = { op: 'cud-checkout', borrowernumber: String(patron_id), barcode: '39' };
      const reply = await browser.post(circulation, form);
      expect(reply.status).toBe(200);
      expect(koha.state(card).checkouts).toMatchObject([{ external_id: '39', library_id: 'NORTH' }]);
      expect(reply.body).toContain('The &lt;Quiet&gt; Weir');
    }));

  test('reasons that can be confirmed are offered, blockers end it', () =>
    withDesk({ settings: { RentalFeesCheckoutConfirmation: '1' } }, async (koha, browser) => {
      const { patron_id } = koha.putPatron(card, { surname: 'X' });
      koha.putItem('39', { rental_charge: 2 });
      koha.putItem('40', { withdrawn: 1 });
      const borrowernumber = String(patron_id);
      const form = { op: 'cud-checkout', borrowernumber };
      expect((await browser.post(circulation, { ...form, barcode: '39' })).body).toContain(
        'circ_needsconfirmation',
      );
      expect((await browser.post(circulation, { ...form, barcode: '40' })).body).toContain('circ_impossible');
      expect((await browser.post(circulation, { ...form, barcode: '0' })).body).toContain('not known');
      expect(koha.state().checkouts).toEqual([]);
      await browser.post(circulation, { ...form, barcode: '39', issueconfirmed: '1' });
      expect(koha.state().checkouts).toHaveLength(1);
      await browser.post('/cgi-bin/koha/circ/returns.pl', { op: 'cud-checkin', barcode: '39' });
      expect(koha.state()).toMatchObject({ checkouts: [], old_checkouts: [{ external_id: '39' }] });
    }));

  // circ/circulation.tt: NEEDSCONFIRMATION, and the script at its end; circ/circulation.pl: nothing to issue
  test('the box for items takes nothing while Koha asks, and may be sent empty: that is no checkout', () =>
    withDesk({ settings: { RentalFeesCheckoutConfirmation: '1' } }, async (koha, browser) => {
      const { patron_id } = koha.putPatron(card, { surname: 'X' });
      koha.putItem('39', { rental_charge: 2 });
      const boxOf = ({ body }: Reply) => /<input\s+id="barcode"[^>]*>/.exec(String(body))?.[0];
      const form = { op: 'cud-checkout', borrowernumber: String(patron_id) };
      expect(boxOf(await browser.post(circulation, { ...form, barcode: '39' }))).toMatch(/\sdisabled\s/);
      const bare = await browser.post(circulation, form);
      expect(bare.body).not.toMatch(/circ_(?:impossible|needsconfirmation)/);
      expect(boxOf(bare)).toMatch(/\sautofocus\s+\/>$/);
      expect(bare.body).toContain('<script src="/intranet-tmpl/checkout.js">');
      expect((await browser.get('/intranet-tmpl/checkout.js')).body).toContain('issueqslip');
    }));

  test('by CircAutoPrintQuickSlip the empty box clears the screen for the next patron', () =>
    withDesk({ settings: { CircAutoPrintQuickSlip: 'clear' } }, async (koha, browser) => {
      const { patron_id } = koha.putPatron(card, { surname: 'X' });
      const form = { op: 'cud-checkout', borrowernumber: String(patron_id) };
      const cleared = await browser.post(circulation, { ...form, barcode: '' });
      expect(cleared.body).toContain('id="findborrower"');
      expect(cleared.body).not.toContain('id="mainform"');
      expect((await browser.post(circulation, form)).body).toContain('id="mainform"');
    }));

  test.each([
    ['23.11', 'post'],
    ['24.05', 'get'],
  ] as const)(
    'Koha %s sends the checkout box by %s, and asks Koha for patrons while it is typed',
    (release, method) =>
      withDesk({ release }, async (koha, browser) => {
        koha.putPatron(card, { surname: 'X' });
        for (const page of [circulation, '/cgi-bin/koha/members/member.pl']) {
          const { body } = await browser.get(page);
          expect(body).toMatch(
            new RegExp(
              `<form[^>]*(?:id="patronsearch"[^>]*method="${method}"|method="${method}"[^>]*id="patronsearch")`,
            ),
          );
          expect(body).toContain('<script src="/intranet-tmpl/autocomplete.js">');
        }
        if (method === 'get') return;
        const found = await sendRequest(koha.url + circulation, 'POST', {
          body: `findborrower=${card}`,
          headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: browser.cookie },
        });
        expect(found).toMatchObject({ status: 200, body: expect.stringContaining('id="mainform"') });
        koha.putSettings({ PatronAutoComplete: '0' });
        expect((await browser.get(circulation)).body).not.toContain('autocomplete.js');
      }),
  );

  test.each<[string, Record<string, string>]>([
    ['a wrong token', { op: 'cud-checkout', csrf_token: 'guess' }],
    ['no token', { op: 'cud-checkout', csrf_token: '' }],
    ['an op that does not begin with cud-', { op: 'checkout' }],
  ])('%s is refused in plain text', (_what, form) =>
    withDesk({}, async (_koha, browser) => {
      const reply = await browser.post(circulation, { borrowernumber: '1', barcode: '39', ...form });
      expect([reply.status, reply.body]).toEqual([403, 'Wrong CSRF token']);
      expect(reply.headers.get('content-type')).toMatch(/^text\/plain/);
    }),
  );

  test('an op that writes is refused on GET', () =>
    withDesk({}, async (_koha, browser) => {
      expect((await browser.get(`${circulation}?op=cud-checkout&borrowernumber=1`)).status).toBe(403);
    }));
});

describe('the session and the API', () => {
  const path = '/api/v1/contrib/passport/scans';
  const body = { cardnumber: card };

  test('a write needs the CSRF header, and the cookie spoils a Bearer call without it', () =>
    withDesk({}, async (koha, browser) => {
      const { cookie, csrf } = browser;
      const without = await sendRequest(koha.url + path, 'POST', { body, headers: { cookie } });
      expect(without).toMatchObject({ status: 403, body: { error: 'Wrong CSRF token' } });
      const withToken = await sendRequest(koha.url + path, 'POST', {
        body,
        headers: { cookie, 'csrf-token': csrf },
      });
      expect(withToken.status).toBe(202);
      expect(await koha.request('POST', path, { body, headers: { cookie } })).toMatchObject({ status: 403 });
    }));

  test('the search of the page is allowed, a session that is over is refused, maintenance stops it', () =>
    withDesk({}, async (koha, { cookie }) => {
      const search = (sent: string): Promise<Reply> =>
        sendRequest(`${koha.url}/api/v1/patrons`, 'GET', { headers: { cookie: sent } });
      expect((await search(cookie)).status).toBe(200);
      expect(await search('CGISESSID=gone')).toMatchObject({
        status: 401,
        body: { error: 'Session has been expired.' },
      });
      koha.putSettings({ maintenance: true });
      expect(await search(cookie)).toMatchObject({ status: 503 });
      expect(await koha.request('GET', '/api/v1/patrons')).toMatchObject({ status: 200 });
    }));

  test('the branch of the session goes before x-koha-library', () =>
    withDesk({}, async (koha, { cookie, csrf }, receiver) => {
      const headers = { cookie, 'csrf-token': csrf, 'x-koha-library': 'NORTH' };
      await sendRequest(koha.url + path, 'POST', { body, headers });
      expect(JSON.parse(receiver.events[0]?.body ?? '')).toMatchObject({ data: { branch: 'MAIN' } });
    }));

  test('two doubles on one host share a cookie without throwing each other out', () =>
    withDesk({}, async (_koha, browser) => {
      await withKoha({ library: 'riverside' }, async (other) => {
        const second = await openBrowser(other, browser.cookie);
        expect(second.csrf).not.toBe(browser.csrf);
        expect((await browser.post('/cgi-bin/koha/circ/returns.pl', { op: 'cud-checkin' })).status).toBe(200);
        expect((await second.post('/cgi-bin/koha/circ/returns.pl', { op: 'cud-checkin' })).status).toBe(200);
      });
    }));
});

describe('the self-check', () => {
  test('an unknown card is named, with nothing else, in markup that is safe', () =>
    withDesk({}, async (_koha, browser) => {
      const reply = await browser.post(selfCheck, { op: 'cud-login', patronid: '<b>99' });
      expect(reply.body).toContain('id="nouser"');
      expect(reply.body).toContain('&lt;b&gt;99');
    }));

  test('T-05 the event says where it was scanned, and the patron is found in the same page load', () =>
    withDesk({}, async (koha, browser, receiver) => {
      const load = browser.post(selfCheck, { op: 'cud-login', patronid: card });
      while (receiver.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
      koha.putPatron(card, { surname: 'Visitor' });
      expect((await load).body).toContain('Hello, ');
      expect(JSON.parse(receiver.events[0]?.body ?? '')).toMatchObject({ data: { interface: 'self_check' } });
    }));

  test('checks out, and leaves what must be confirmed to the desk', () =>
    withDesk({ settings: { RentalFeesCheckoutConfirmation: '1' } }, async (koha, browser) => {
      koha.putPatron(card, { surname: 'X' });
      koha.putItem('39', {});
      koha.putItem('40', { rental_charge: 2 });
      const scan = (barcode: string): Promise<Reply> =>
        browser.post(selfCheck, { op: 'cud-checkout', patronid: card, barcode });
      expect((await scan('39')).body).toContain('Checked out: 39');
      expect((await scan('40')).body).toContain('ask at the desk');
      expect(koha.state().checkouts).toHaveLength(1);
    }));

  test('can be switched off', () =>
    withDesk({ settings: { WebBasedSelfCheck: false } }, async (_koha, browser) => {
      expect((await browser.get(selfCheck)).status).toBe(404);
    }));
});

describe('the plugin on the pages', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'koha-double-'));
    writeFileSync(join(folder, 'main.js'), "import { word } from './word.js';\n\nvoid word;\n");
    writeFileSync(join(folder, 'word.js'), "export const word = 'desk';\n");
    writeFileSync(join(folder, 'files.json'), JSON.stringify(['word', 'main']));
    writeFileSync(join(folder, 'messages.json'), JSON.stringify({ en: { title: '</script>' } }));
    writeFileSync(join(folder, 'p.kpz'), 'zip');
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const files = (): TestOptions => ({
    pluginScriptPath: join(folder, 'main.js'),
    kpzPath: join(folder, 'p.kpz'),
  });

  test('its script is on the page of an unknown card, with the ids it goes by, and in the checkout', () =>
    withDesk(files(), async (_koha, browser) => {
      const { body } = await browser.get(`${member}?quicksearch=1&circsearch=1&searchmember=${card}`);
      const ids = [
        '<body id="pat_member"',
        'id="search_patron_filter"',
        'id="searchresults"',
        'id="memberresultst"',
      ];
      for (const id of ids) expect(body).toContain(id);
      const facts = /id="passport-desk">(.*?)<\/script>/.exec(String(body))?.[1] ?? '';
      expect(JSON.parse(facts)).toMatchObject({
        library: 'midland',
        staff: expect.any(Number),
        messages: { en: { title: '</script>' } },
      });
      expect((await browser.get(`${member}?searchmember=x`)).body).not.toContain('passport-desk');
      expect((await browser.get(circulation)).body).toContain('passport-desk');
      expect((await browser.get('/cgi-bin/koha/circ/returns.pl')).body).not.toContain('passport-desk');
      const script = await browser.get('/api/v1/contrib/passport/desk.js?v=1.0.0');
      expect([script.status, script.headers.get('cache-control')]).toEqual([200, 'private, max-age=86400']);
      expect(script.body).toContain("// word.js\nconst word = 'desk';\n\n// main.js\nvoid word;\n");
    }));

  test('where a page of another site has opened Koha’s, nothing is reported, and the script is told so', () =>
    withDesk(files(), async (koha, { cookie }, receiver) => {
      const open = (path: string, site: string) =>
        sendRequest(koha.url + path, 'GET', { headers: { cookie, 'sec-fetch-site': site } });
      for (const site of ['cross-site', 'same-site']) {
        await open(`${circulation}?findborrower=${card}`, site);
        await open(`${selfCheck}?patronid=${card}`, site);
        expect((await open(`${member}?circsearch=1&searchmember=${card}`, site)).body).toContain(
          '"isFromElsewhere":true',
        );
      }
      expect(receiver.events).toEqual([]);
      await open(`${circulation}?findborrower=${card}`, 'none');
      expect(receiver.events).toHaveLength(1);
      expect((await open(`${member}?circsearch=1&searchmember=${card}`, 'same-origin')).body).not.toContain(
        'isFromElsewhere',
      );
    }));

  test('is offered for download', () =>
    withDesk(files(), async (_koha, browser) => {
      const link = /href="([^"]+)" download="p.kpz"/.exec(String((await browser.get('/')).body))?.[1] ?? '';
      expect((await browser.get(link)).body).toBe('zip');
    }));

  test('is nowhere on a Koha that has not installed it', () =>
    withDesk({ ...files(), plugin: false }, async (_koha, browser, receiver) => {
      const { body } = await browser.get(`${member}?circsearch=1&searchmember=${card}`);
      expect(body).not.toContain('passport-desk');
      expect((await browser.get(`${circulation}?findborrower=${card}`)).status).toBe(302);
      expect(receiver.events).toEqual([]);
    }));

  // Koha/Middleware/ContentSecurityPolicy.pm and Koha/ContentSecurityPolicy.pm (bug 38365): off unless koha-conf.xml has one.
  test.each([
    ['', null],
    ["script-src 'self' 'nonce-_CSP_NONCE_'", /^script-src 'self' 'nonce-\w{10}'$/],
  ])('the policy "%s" is sent with a new nonce in each answer', (content_security_policy, expected) =>
    withDesk({ ...files(), settings: { content_security_policy } }, async (_koha, browser) => {
      const policies = await Promise.all(
        [circulation, member].map(async (path) =>
          (await browser.get(path)).headers.get('content-security-policy'),
        ),
      );
      if (expected === null) expect(policies).toEqual([null, null]);
      else for (const policy of policies) expect(policy).toMatch(expected);
      expect(new Set(policies).size).toBe(expected === null ? 1 : 2);
    }),
  );

  test('the page’s language is what Koha’s cookie says', () =>
    withDesk(files(), async (koha, { cookie }) => {
      const headers = { cookie: `${cookie}; KohaOpacLanguage=fr` };
      expect((await sendRequest(koha.url + member, 'GET', { headers })).body).toContain('<html lang="fr">');
    }));
});

describe('the pages of patrons', () => {
  test.each([
    ['24.05', 'circ_search'],
    ['24.11', 'circ_search_panel'],
  ] as const)('the checkout box of %s is under a tab of the header', (release, id) =>
    withDesk({ release }, async (_koha, browser) => {
      const { body } = await browser.get(`${member}?quicksearch=1&circsearch=1&searchmember=${card}`);
      expect(body).toMatch(new RegExp(`<div id="${id}"[^>]*class="tab-pane"[^>]*>`));
      expect(body).toContain(`href="#${id}"`);
      expect(body).toContain('id="findborrower"');
    }),
  );

  test.each([
    ['23.11', 'add', 'add_form'],
    ['26.05', 'add_form', 'add'],
  ] as const)('a new patron of %s is registered by op=%s, and no form opens by op=%s', (release, op, other) =>
    withDesk({ release }, async (_koha, browser) => {
      const found = await browser.get(`${member}?searchmember=${card}`);
      expect(found.body).toContain(`memberentry.pl?op=${op}&categorycode=AD`);
      const open = (query: string) => browser.get(`/cgi-bin/koha/members/memberentry.pl?${query}`);
      const form = String((await open(`op=${op}&categorycode=AD&cardnumber=${card}`)).body);
      expect(form).toContain('<option value="AD" selected>');
      expect(form).toContain('id="cardnumber"');
      expect(form).not.toContain(card);
      expect(String((await open(`op=${other}&categorycode=AD`)).body)).not.toContain('id="cardnumber"');
    }),
  );

  const entry = '/cgi-bin/koha/members/memberentry.pl';
  const newcomer = {
    op: 'cud-insert',
    destination: 'circ',
    cardnumber: card,
    surname: 'Newcomer',
    categorycode: 'AD',
  };

  test('the form marks what has to be filled in', () =>
    withDesk({}, async (koha, browser) => {
      const required = async () =>
        [
          ...String((await browser.get(`${entry}?op=add_form`)).body).matchAll(
            /<input[^>]*?id="(\w+)"[^>]*?required[^>]*>/gs,
          ),
        ].map(([, id]) => id);
      expect(await required()).toEqual(['surname', 'cardnumber']);
      koha.putSettings({ preferences: { BorrowerMandatoryField: 'firstname' } });
      expect(await required()).toEqual(['firstname', 'cardnumber']);
    }));

  test.each([
    ['a card that is taken', { cardnumber: '21234000000888' }, 'Card number already in use.'],
    ['no surname', { surname: ' ' }, 'To be filled in: surname'],
    ['no card', { cardnumber: '' }, 'To be filled in: cardnumber'],
    ['no category', { categorycode: '' }, 'To be filled in: categorycode'],
    ['a category that is none', { categorycode: 'XX' }, 'The patron was not saved.'],
  ])('a new patron with %s is not stored, and the form comes back as it was filled in', (_what, more, why) =>
    withDesk({}, async (koha, browser) => {
      koha.putPatron('21234000000888', { surname: 'First' });
      const before = koha.state().patrons;
      const reply = await browser.post(entry, { ...newcomer, firstname: 'Ana', ...more });
      expect(reply.status).toBe(200);
      expect(reply.body).toContain(why);
      expect(reply.body).toMatch(/id="firstname"[^>]*value="Ana"/);
      expect(reply.body).toContain('name="destination" value="circ"');
      expect(koha.state().patrons).toEqual(before);
    }),
  );

  test.each([
    ['a namesake', {}, { surname: 'NEWCOMER' }],
    ['nothing that could distinguish one from the other', { surname: '' }, { surname: 'Anybody' }],
  ])('a new patron with %s is stored once staff say that it is somebody else', (_what, more, other) =>
    withDesk({}, async (koha, browser) => {
      koha.putSettings({ preferences: { BorrowerMandatoryField: 'cardnumber' } });
      koha.putPatron('21234000000888', other);
      const question = await browser.post(entry, { ...newcomer, ...more });
      expect(question.status).toBe(200);
      expect(question.body).toContain('Duplicate patron record?');
      expect(koha.state(card).patrons).toEqual([]);
      await browser.post(entry, { ...newcomer, ...more, nodouble: '1' });
      expect(koha.state(card).patrons).toHaveLength(1);
    }),
  );

  test('a patron who was registered for the checkout is opened there', () =>
    withDesk({}, async (koha, browser) => {
      const saved = await browser.post(entry, newcomer);
      const patron = koha.state(card).patrons[0];
      expect(patron).toMatchObject({ surname: 'Newcomer', category_id: 'AD', library_id: 'MAIN' });
      expect(saved.headers.get('location')).toBe(`${circulation}?borrowernumber=${patron?.patron_id}`);
    }));
});
