import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { category, populate, startTwoKohas } from './doctor-fixture.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

const CARD = '21234000000903';
const ITEM = '35678000000042';

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
  midland.putPatron(CARD, { surname: 'Kovačová', firstname: 'Jane', library_id: 'MAIN', category_id: 'AD' });
});

interface Probed {
  readonly ok: boolean;
  readonly libraries: readonly {
    readonly id: string;
    readonly queried: boolean;
    readonly holds: string;
    readonly steps: readonly {
      query: string;
      result: string;
      status: number | null;
      ms: number;
      answered: string | null;
    }[];
    readonly findings: readonly { code: string; name: string | null }[];
  }[];
}

const configured = () => consortiumOf([riverside, { ...midland, change: { webhook_secrets: [] } }]);
const input = (...lines: string[]) => ({ input: `${lines.join('\n')}\n` });

async function probe(args: readonly string[], lines: readonly string[]) {
  const ran = await passport(['doctor', '--json', '--probe', '-', ...args], configured(), input(...lines));
  const { libraries, ok } = jsonOf(ran) as Probed;
  const [there, home] = ['riverside', 'midland'].map((id) => libraries.find((each) => each.id === id));
  const results = (of: typeof home) => (of?.steps ?? []).map(({ query, result }) => `${query}: ${result}`);
  return { ...ran, ok, there, home, results };
}

const writes = (double: KohaDouble) =>
  double
    .calls()
    .map(({ operation }) => operation)
    .filter((operation) => operation?.startsWith('GET ') === false && operation !== 'POST /oauth/token');

test('a card is looked up at its home and where it is scanned, by card, id and home key, and nothing is written', async () => {
  const { code, there, home, results } = await probe([], [CARD]);
  expect(code).toBe(0);
  expect({ at: home?.holds, results: results(home) }).toEqual({
    at: 'home_record',
    results: ['card lookup: found', 'read by id: found'],
  });
  expect(there?.queried).toBe(false);
  const named = await probe(['riverside', 'midland'], [CARD]);
  expect(results(named.there)).toEqual(['card lookup: not found', 'lookup by home key: not found']);
  expect(named.there?.steps.every(({ status, ms }) => status === 200 && ms >= 0)).toBe(true);
  expect([...writes(riverside), ...writes(midland)]).toEqual([]);
});

test('a card in another form is looked up at its home under the number there, in one call', async () => {
  const cards = ['^21234\\d{9}$', { scanned: '^(\\d{9})$', number: '21234$1' }];
  const change = { webhook_secrets: [], cards };
  const files = consortiumOf([riverside, { ...midland, change }]);
  midland.clearCalls();
  const ran = await passport(['doctor', '--json', '--probe', '-'], files, input(CARD.slice(5)));
  const { libraries } = jsonOf(ran) as Probed;
  expect(libraries.find(({ id }) => id === 'midland')).toMatchObject({ queried: true, holds: 'home_record' });
  expect(midland.calls().filter(({ operation }) => operation === 'GET /patrons')).toHaveLength(1);
});

test('a record that Koha cannot show is named by its field', async () => {
  midland.putPatron(CARD, { date_of_birth: '0000-00-00' });
  const { code, home } = await probe([], [CARD]);
  expect(code).toBe(1);
  expect(home?.steps).toMatchObject([
    {
      query: 'card lookup',
      result: 'record_unreadable date_of_birth',
      status: 500,
      answered: '/body/0/date_of_birth: out of range',
    },
  ]);
});

test('neither the card nor anything of the patron is printed; the audit line says who looked and where', async () => {
  const { out, err } = await probe(['riverside', 'midland'], [CARD]);
  expect(`${out}${err}`).not.toMatch(new RegExp(`${CARD}|Kovač|Jane`));
  expect(JSON.parse(err.split('\n')[0] ?? '')).toMatchObject({
    audit: true,
    action: 'probe',
    by: 'tester',
    queried: ['riverside', 'midland'],
  });
  const text = await passport(['doctor', 'midland', '--probe', '-'], configured(), input(CARD));
  expect(text.out).toMatch(/card lookup +found 200, \d+ ms\n +read by id +found 200/);
  expect(text.out).toMatch(/home library: midland\n$/);
});

test('a card given as an argument is refused, and not repeated', async () => {
  const { code, err } = await passport(['doctor', '--probe', CARD], configured());
  expect(code).toBe(2);
  expect(err).not.toContain(CARD);
  expect((await passport(['doctor', '--item', '-'], configured())).code).toBe(2);
});

describe('with an item', () => {
  beforeEach(() => {
    riverside.putItem(ITEM, { home_library_id: 'MAIN' });
    const marks = midland.state(CARD).patrons.map(({ patron_id: id }) => [
      { type: 'PASSPORTED', value: 'midland' },
      { type: 'PASSPORTED_ID', value: `midland:${String(id)}` },
    ]);
    riverside.putPatron(CARD, {
      surname: 'Kovačová',
      library_id: 'MAIN',
      category_id: 'PT',
      extended_attributes: marks[0] ?? [],
    });
  });

  test('its availability to the copy is looked up, and nothing is checked out', async () => {
    const { code, there, results } = await probe(['riverside', 'midland', '--item', '-'], [CARD, ITEM]);
    expect(code).toBe(0);
    expect(there?.holds).toBe('copy');
    expect(results(there)).toEqual([
      'card lookup: found, a copy',
      'read by id: found',
      'lookup by home key: found 1',
      'item lookup: found',
      'availability: can be checked out',
    ]);
    expect(writes(riverside)).toEqual([]);
    expect(riverside.state().checkouts).toEqual([]);
  });

  test('availability is not queried for a statistical category, because the query would write there', async () => {
    riverside.putSettings({ categories: [{ ...category, category_type: 'X' }] });
    const { results, there } = await probe(['riverside', '--item', '-'], [CARD, ITEM]);
    expect(results(there).at(-1)).toMatch(/^availability: skipped: .*statistical/);
    expect(riverside.calls().map(({ operation }) => operation)).not.toContain('GET /checkouts/availability');
  });
});

test('a look-up that fails is shown with its status and what Koha answered, and the exit code is 1', async () => {
  midland.addFaults([
    {
      operation: 'GET /patrons/{patron_id}',
      kind: 'status',
      status: 500,
      body: { error: 'Something went wrong for Jane Kovačová', error_code: 'internal_server_error' },
    },
  ]);
  const { code, home, out } = await probe([], [CARD]);
  expect(code).toBe(1);
  expect(home?.steps.at(-1)).toMatchObject({
    query: 'read by id',
    result: 'http_5xx',
    status: 500,
    answered: 'internal_server_error',
  });
  expect(out).not.toContain('Kovač');
});

test('where a card is not found, it is said that patrons of other branches are hidden', async () => {
  populate(midland);
  midland.putPatron(CARD, { library_id: 'NORTH' });
  midland.putSettings({
    release: '25.11',
    groups_hide_patrons: true,
    permissions: ['borrowers:list_borrowers', 'catalogue:1'],
  });
  const { code, home } = await probe([], [CARD]);
  expect({ code, holds: home?.holds }).toEqual({ code: 1, holds: 'nothing' });
  expect(home?.findings).toContainEqual(
    expect.objectContaining({
      code: 'patrons_hidden',
      name: 'borrowers: view_borrower_infos_from_any_libraries',
    }),
  );
});
