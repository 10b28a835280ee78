import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { examine, startTwoKohas } from './doctor-fixture.ts';
import { type ProxiedRequest, type Bent, startBendingProxy } from './start-bending-proxy.ts';

const own = leakGuard({ beforeEach, afterEach });

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
});

/** Doctor's findings for both, with riverside's (or midland's) Koha bent. */
async function look(bend: (request: ProxiedRequest) => Bent | null, { at = 'riverside', change = {} } = {}) {
  const proxy = own(await startBendingProxy(at === 'riverside' ? riverside.url : midland.url, bend));
  const bent = (double: KohaDouble): KohaDouble => ({ ...double, url: proxy.url });
  const kohas =
    at === 'riverside' ? { riverside: bent(riverside), midland } : { riverside, midland: bent(midland) };
  const found = await examine(kohas, { change });
  const findings = found.libraries.flatMap((library) => library.findings);
  return { ...found, findings };
}

const CRASH = { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 };
const WRONG = {
  error: 'Something went wrong, check Koha logs for details.',
  error_code: 'internal_server_error',
};
const LOGIN_PAGE =
  '<!DOCTYPE html><html><head><title>Log in to Koha</title></head><body>Jane Kov</body></html>';

const hasEmbed = ({ headers }: ProxiedRequest, embed: string): boolean =>
  String(headers['x-koha-embed'] ?? '').includes(embed);
const isList = ({ method, path }: ProxiedRequest): boolean => method === 'GET' && path === '/patrons';
const byId = ({ method, path }: ProxiedRequest): boolean => method === 'GET' && /^\/patrons\/\d+$/.test(path);
const isRequest =
  (...[method, path]: [string, string]) =>
  (request: ProxiedRequest): boolean =>
    request.method === method && request.path === path;

describe('one query that a Koha does not take as the worker sends it is named, with what Koha answered', () => {
  test.each<
    [what: string, when: (request: ProxiedRequest) => boolean, bent: Bent, fault: string, answered: RegExp]
  >([
    [
      'an order is ambiguous beside an embed',
      (request) => isList(request) && hasEmbed(request, 'extended_attributes'),
      { status: 500, body: CRASH },
      'no_answer GET /patrons',
      /^\/: Internal Server Error$/,
    ],
    [
      'an order is refused',
      (request) =>
        isList(request) &&
        request.query.get('_order_by')?.includes('me.') === true &&
        hasEmbed(request, 'ext'),
      { status: 400, body: [{ path: '/query/_order_by', message: 'Malformed query string' }] },
      'query_refused GET /patrons',
      /_order_by: Malformed query string/,
    ],
    [
      'embeds are refused on lists',
      (request) => isList(request) && hasEmbed(request, 'extended_attributes'),
      { status: 400, body: 'Embedding objects is not allowed on this endpoint.' },
      'query_refused GET /patrons',
      /^Embedding objects is not allowed on this endpoint$/,
    ],
    [
      'the operator of a query is refused',
      (request) => isList(request) && request.query.get('q')?.includes('extended_attributes.code') === true,
      { status: 400, body: { error: 1, error_code: 'invalid_query' } },
      'query_refused GET /patrons',
      /invalid_query$/,
    ],
    [
      'the look-up by home key crashes',
      (request) => isList(request) && request.query.get('q')?.includes('extended_attributes.code') === true,
      { status: 500, body: WRONG },
      'no_answer GET /patrons',
      /Something went wrong, check Koha logs/,
    ],
    [
      'reading by id crashes',
      byId,
      { status: 500, body: WRONG },
      'no_answer GET /patrons/{patron_id}',
      /wrong/,
    ],
    [
      'embeds are refused at one patron',
      (request) => byId(request) && hasEmbed(request, 'extended_attributes'),
      { status: 400, body: 'Embedding objects is not allowed on this endpoint.' },
      'query_refused GET /patrons/{patron_id}',
      /Embedding/,
    ],
    [
      'reading by id is not permitted',
      byId,
      {
        status: 403,
        body: {
          error: 'Authorization failure. Missing required permission(s).',
          required_permissions: { borrowers: 'edit_borrowers' },
        },
      },
      'permission_missing borrowers: edit_borrowers',
      /^$/,
    ],
    [
      'a proxy puts a login page in the place of patrons',
      isList,
      { status: 200, body: LOGIN_PAGE },
      'proxy_page GET /patrons',
      /^page Log in$/,
    ],
    [
      'a portal answers 401 with a page of its own for single patrons',
      byId,
      { status: 403, body: LOGIN_PAGE },
      'proxy_page GET /patrons/{patron_id}',
      /^page Log in/,
    ],
    [
      'a proxy redirects to its login',
      isList,
      { status: 302, body: LOGIN_PAGE, headers: { location: 'https://login.example.org/' } },
      'redirect GET /patrons',
      /^$/,
    ],
    [
      'a firewall has no page for items',
      isRequest('GET', '/items'),
      { status: 404, body: '<html><title>404 Not Found</title>' },
      'proxy_page GET /items',
      /^page Not Found$/,
    ],
    [
      'the web server gets nothing from Koha for checkouts',
      isRequest('GET', '/checkouts'),
      { status: 502, body: '<html><title>502 Bad Gateway</title>' },
      'no_answer GET /checkouts',
      /^page Bad Gateway$/,
    ],
    [
      'availability does not take an item by number',
      isRequest('GET', '/checkouts/availability'),
      { status: 400, body: { errors: [{ path: '/item_id', message: 'Not in enum list: x.' }], status: 400 } },
      'query_refused GET /checkouts/availability',
      /Not in enum list/,
    ],
    [
      'a firewall keeps availability to itself',
      isRequest('GET', '/checkouts/availability'),
      { status: 403, body: '<html><title>403 Forbidden</title>' },
      'proxy_page GET /checkouts/availability',
      /^page Forbidden$/,
    ],
    [
      'finding items crashes',
      isRequest('GET', '/items'),
      { status: 500, body: WRONG },
      'no_answer GET /items',
      /internal_server_error/,
    ],
    [
      'too many requests are refused',
      isRequest('GET', '/checkouts'),
      { status: 429, body: { error: 'Too many requests' } },
      'no_answer GET /checkouts',
      /^Too many requests$/,
    ],
    [
      "the plugin's account crashes",
      isRequest('GET', '/contrib/passport/about'),
      { status: 500, body: WRONG },
      'no_answer GET /contrib/passport/about',
      /wrong/,
    ],
  ])('%s', async (_what, when, bent, fault, answered) => {
    const { code, faults, warnings, findings } = await look((request) => (when(request) ? bent : null));
    expect({ code, faults, warnings }).toEqual({ code: 1, faults: [`riverside ${fault}`], warnings: [] });
    const finding = findings.find(({ level }) => level === 'fault');
    expect(finding?.answered ?? '').toMatch(answered);
    expect(finding?.remedy).toMatch(/\w{4}/);
    expect(JSON.stringify(findings)).not.toMatch(/Jane|Kov"/);
  });

  test('several look-ups that fail alike are one fault, which names them', async () => {
    const { findings } = await look((request) =>
      isList(request) && hasEmbed(request, 'extended_attributes') ? { status: 500, body: CRASH } : null,
    );
    const problems = findings.filter(({ level }) => level === 'fault').map(({ problem }) => problem);
    expect(problems).toEqual([
      expect.stringMatching(/^the card lookup with attributes, the lookup by home key: GET \/patrons/),
    ]);
  });
});

describe('the balance beside a card at a home library', () => {
  const bend = (request: ProxiedRequest): Bent | null =>
    isList(request) && hasEmbed(request, 'account_balance') ? { status: 500, body: WRONG } : null;

  test('that cannot be read is a warning while nothing uses it', async () => {
    const { code, warnings } = await look(bend, { at: 'midland' });
    expect({ code, warnings }).toEqual({ code: 0, warnings: ['midland no_answer GET /patrons'] });
  });

  test('that cannot be read is a fault once a lending library has eligibility.max_debt', async () => {
    const change = { eligibility: { max_debt: 10 } };
    const { code, faults } = await look(bend, { at: 'midland', change });
    expect({ code, faults }).toEqual({ code: 1, faults: ['midland no_answer GET /patrons'] });
  });
});

test('doctor sends the look-ups of the worker to the letter', async () => {
  const sent: string[] = [];
  await look((request) => {
    if (request.path.startsWith('/patrons') && request.method === 'GET') {
      const keys = [...request.query.keys()].toSorted().join(' ');
      const where = Object.keys(JSON.parse(request.query.get('q') ?? '{}') as object).join(' ');
      const path = request.path.replace(/\d+/, 'N');
      sent.push(`${path} ${String(request.headers['x-koha-embed'] ?? '-')} ${keys} (${where})`);
    }
    return null;
  });
  expect(sent).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\/patrons extended_attributes .*q \(cardnumber\)$/),
      expect.stringMatching(
        /^\/patrons extended_attributes .*q \(extended_attributes\.code extended_attributes\.attribute\)$/,
      ),
      expect.stringMatching(/^\/patrons\/N extended_attributes/),
    ]),
  );
});
