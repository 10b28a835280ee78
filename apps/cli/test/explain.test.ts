import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type KohaDouble, demoSamples, startKohaDouble } from '@passport/koha-double';
import { createEncryption } from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

let doubles: KohaDouble[];
let redis: StartedRedis;
beforeAll(async () => {
  redis = await startRedis();
  doubles = await Promise.all(
    (['midland', 'riverside', 'lakeside'] as const).map((library) =>
      startKohaDouble({ library, seed: library }),
    ),
  );
});
afterAll(async () => {
  await Promise.all(doubles.map((double) => double.close()));
  await redis.stop();
});
beforeEach(() => doubles.forEach((double) => double.clearFaults()));

const PATTERNS: Readonly<Record<string, string[]>> = {
  midland: ['^21234\\d{9}$'],
  riverside: ['^25678\\d{9}$'],
  lakeside: [],
};
const KEY = randomBytes(32);
const env = (more: Readonly<Record<string, unknown>> = {}) => ({
  PASSPORT_KEY: KEY.toString('base64'),
  REDIS_URL: redis.url,
  ...consortiumOf(
    doubles.map((double) => ({
      ...double,
      change: { cards: PATTERNS[double.library], eligibility: { max_debt: 25 } },
    })),
    more,
  ),
});
const explain = async (card: string, { at = 'riverside', args = [] as string[], more = {} } = {}) =>
  passport(['explain', '--at', at, '--card', '-', '--json', ...args], env(more), {
    input: `${card}\n`,
    newId: () => `evt_${randomUUID()}`,
  });

const {
  eligible,
  expired,
  card_lost: lost,
  restricted,
  two_homes: twoHomes,
  debt,
  address_unconfirmed: unsure,
} = demoSamples('midland');

test('each line of the text keeps its name apart from what it says', async () => {
  const [card = ''] = eligible;
  const { out } = await passport(['explain', '--at', 'riverside', '--card', '-'], env(), {
    input: `${card}\n`,
    newId: () => `evt_${randomUUID()}`,
  });
  expect(out).toMatch(/^ {2}eligibility {2,}may borrow$/m);
});

test('a patron who is restricted at home would be copied with the restriction, where the library allows that', async () => {
  const [card = ''] = restricted;
  const environment = {
    PASSPORT_KEY: KEY.toString('base64'),
    REDIS_URL: redis.url,
    ...consortiumOf(
      doubles.map((double) => ({
        ...double,
        change: { cards: PATTERNS[double.library], eligibility: { restricted: 'allow' } },
      })),
    ),
  };
  const input = { input: `${card}\n`, newId: () => `evt_${randomUUID()}` };
  const { out } = await passport(['explain', '--at', 'riverside', '--card', '-'], environment, input);
  expect(out).toMatch(/^COPIED\n/);
  expect(out).toMatch(
    /^ {2}restriction {2,}restricted at home: the copy would be, with type and end of that$/m,
  );
  const lender = doubles.find(({ library }) => library === 'riverside');
  const operation = 'GET /contrib/passport/restrictions/{kind}';
  const body = { error: 'no', error_code: 'not_the_service' };
  lender?.addFaults([{ operation, kind: 'status', status: 403, body }]);
  const refused = await passport(
    ['explain', '--at', 'riverside', '--card', '-', '--json'],
    environment,
    input,
  );
  expect(jsonOf(refused)).toMatchObject({
    outcome: 'MISCONFIGURED',
    problem: { library: 'riverside', what: 'permission' },
  });
});

const withWindows = (library: string, as: string) => {
  const [from, until] = [-3_600_000, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const planned = { windows: [{ from, until, as, reason: 'planned upgrade' }] };
  return {
    PASSPORT_KEY: KEY.toString('base64'),
    REDIS_URL: redis.url,
    ...consortiumOf(
      doubles.map((double) => ({
        ...double,
        change: { cards: PATTERNS[double.library], ...(double.library === library ? planned : {}) },
      })),
    ),
  };
};

describe('a paused library is not queried', () => {
  const pause = (library: string, as: string) =>
    passport(['library', 'pause', library, '--as', as, '--until', '2h', '--reason', 'Koha upgrade'], env());
  const callsOf = (library: string): number =>
    doubles.find((double) => double.library === library)?.calls().length ?? 0;
  const text = async (card: string, environment = env()) => {
    const input = { input: `${card}\n`, newId: () => `evt_${randomUUID()}` };
    return (await passport(['explain', '--at', 'riverside', '--card', '-'], environment, input)).out;
  };
  beforeEach(async () => {
    doubles.forEach((double) => double.clearCalls());
    await redis.call('FLUSHALL');
  });

  test('as home library: its cards wait, and it says until when, by whom and why', async () => {
    const [card = ''] = eligible;
    await pause('midland', 'home');
    const before = callsOf('midland');
    const explained = jsonOf(await explain(card));
    expect(explained).toMatchObject({
      outcome: 'HOME_UNREACHABLE',
      queried: expect.not.arrayContaining(['midland']),
      silent: [{ library: 'midland', reason: 'PAUSED' }],
      paused: [{ library: 'midland', as: 'home', reason: 'Koha upgrade', by: 'tester' }],
    });
    expect(await text(card)).toMatch(
      /paused +midland as home library until [\d-]+ [\d:]+ \S+, by tester: Koha upgrade/,
    );
    expect(callsOf('midland')).toBe(before);
    expect((await passport(['library', 'resume', 'midland'], env())).code).toBe(0);
    expect(jsonOf(await explain(card))).toMatchObject({ outcome: 'COPIED', paused: [] });
  });

  test('as lending library: a scan would wait, nobody is queried, and nothing is counted', async () => {
    const [card = ''] = eligible;
    await pause('riverside', 'lending');
    const explained = await explain(card);
    expect(jsonOf(explained)).toEqual({
      outcome: null,
      paused: [
        {
          library: 'riverside',
          as: 'lending',
          until: expect.stringMatching(/Z$/),
          reason: 'Koha upgrade',
          by: 'tester',
        },
      ],
    });
    expect(JSON.parse(explained.err)).toMatchObject({ action: 'explain', result: 'paused' });
    expect(await text(card)).toMatch(
      /^PAUSED\n {2}riverside as lending library until .*\n {2}Nobody was queried/,
    );
    expect(['midland', 'riverside', 'lakeside'].map(callsOf)).toEqual([0, 0, 0]);
    expect(((await redis.call('KEYS', '*hour*')) as unknown[]).length).toBe(0);
  });

  test.each([
    ['midland', 'home'],
    ['riverside', 'lending'],
  ])('in a planned window of the configuration (%s as %s library)', async (library, as) => {
    const [card = ''] = eligible;
    const out = await text(card, withWindows(library, as));
    expect(out).toMatch(
      new RegExp(
        `${library} as ${as} library until [\\d-]+ [\\d:]+ \\S+, as planned in the configuration: planned upgrade`,
      ),
    );
    expect(callsOf(library)).toBe(0);
  });
});

test('a library that only observes copies nobody', async () => {
  const more = { defaults: { copy: { category: 'PT', mode: 'observe' } } };
  const [card = ''] = eligible;
  expect(jsonOf(await explain(card, { more }))).toMatchObject({ outcome: 'OBSERVED', homes: ['midland'] });
  const [late = ''] = expired;
  expect(jsonOf(await explain(late, { more }))).toMatchObject({ outcome: 'NOT_ELIGIBLE' });
});

test('a library that requests consent is said to, with its text, where somebody would be copied', async () => {
  const copy = { category: 'PT', consent: 'ask', consent_text: { id: '2026-11', text: 'May we?' } };
  const more = { defaults: { copy } };
  const [card = ''] = eligible;
  const explained = await explain(card, { more });
  expect(jsonOf(explained)).toMatchObject({ outcome: 'COPIED', consent: '2026-11' });
  const printed = await passport(['explain', '--at', 'riverside', '--card', '-'], env(more), {
    input: `${card}\n`,
    newId: () => `evt_${randomUUID()}`,
  });
  expect(printed.out).toContain('the patron must agree at the desk first: text 2026-11');
  const [late = ''] = expired;
  expect(jsonOf(await explain(late, { more }))).toMatchObject({ outcome: 'NOT_ELIGIBLE', consent: null });
  expect(jsonOf(await explain(card))).toMatchObject({ outcome: 'COPIED', consent: null });
});

describe('the outcome for a seeded card', () => {
  test.each<[what: string, card: string | undefined, outcome: string, more: object]>([
    [
      'of an eligible patron',
      eligible[0],
      'COPIED',
      { homes: ['midland'], queried: ['midland', 'lakeside'], judgement: 'eligible' },
    ],
    ['of an expired patron', expired[0], 'NOT_ELIGIBLE', { reasons: ['EXPIRED'] }],
    [
      'of a restricted patron',
      restricted[0],
      'NOT_ELIGIBLE',
      { reasons: expect.arrayContaining(['RESTRICTED']) },
    ],
    ['that is reported lost', lost[0], 'NOT_ELIGIBLE', { reasons: expect.arrayContaining(['CARD_LOST']) }],
    [
      'of a patron in debt',
      debt[0],
      'NOT_ELIGIBLE',
      { reasons: expect.arrayContaining(['DEBT_OVER_LIMIT']), asks: null },
    ],
    [
      'of a patron without a sure address',
      unsure[0],
      'NOT_ELIGIBLE',
      { reasons: expect.arrayContaining(['ADDRESS_UNCONFIRMED']) },
    ],
    [
      'that two libraries have',
      twoHomes[0],
      'AMBIGUOUS_HOME',
      { homes: ['midland', 'lakeside'], asks: 'HOME_CHOICE' },
    ],
    ['that nobody has', '21234999999999', 'NOT_FOUND', { homes: [], judgement: null }],
  ])('%s', async (_what, card, outcome, more) => {
    const ran = await explain(card ?? '');
    expect(ran.code).toBe(0);
    expect(jsonOf(ran)).toMatchObject({ outcome, lending: 'riverside', ...more });
  });

  test('that fits no pattern of a partner', async () => {
    expect(jsonOf(await explain('1', { at: 'lakeside' }))).toMatchObject({
      outcome: 'NOT_A_CARD',
      queried: [],
    });
  });

  test('of a patron who is there already', async () => {
    doubles[1]?.putPatron('21234000009999', { surname: 'Local', library_id: 'MAIN', category_id: 'AD' });
    doubles[0]?.putPatron('21234000009999', {
      surname: 'Planted',
      library_id: 'MAIN',
      category_id: 'AD',
      expiry_date: '2099-01-01',
    });
    expect(jsonOf(await explain('21234000009999'))).toMatchObject({
      outcome: 'ALREADY_LOCAL',
      local: { kind: 'native' },
    });
  });
});

test('a card that is scanned in another form than home has: one call to its home, and the record of either form here', async () => {
  const cards = [...(PATTERNS['midland'] ?? []), { scanned: '^(\\d{9})$', number: '21234$1' }];
  const card = '21234000008888';
  const [midland, riverside] = doubles;
  const person = { surname: 'Form', firstname: 'Ada', date_of_birth: '1990-05-01' };
  midland?.putPatron(card, { ...person, category_id: 'AD', expiry_date: '2099-01-01' });
  midland?.clearCalls();
  const ran = () =>
    passport(
      ['explain', '--at', 'riverside', '--card', '-', '--json'],
      {
        ...env(),
        ...consortiumOf(
          doubles.map((double) => ({
            ...double,
            change: { cards: double === midland ? cards : PATTERNS[double.library] },
          })),
        ),
      },
      { input: `${card.slice(5)}\n`, newId: () => `evt_${randomUUID()}` },
    );
  expect(jsonOf(await ran())).toMatchObject({
    outcome: 'COPIED',
    homes: ['midland'],
    local: { kind: 'nobody' },
  });
  const looks = midland?.calls().filter(({ operation }) => operation === 'GET /patrons');
  expect(looks).toHaveLength(1);
  riverside?.putPatron(card, { ...person, firstname: 'Other', library_id: 'MAIN', category_id: 'AD' });
  expect(jsonOf(await ran())).toMatchObject({
    outcome: 'LOCAL_CONFLICT',
    local: { kind: 'card_of_another' },
  });
  riverside?.putPatron(card, person);
  expect(jsonOf(await ran())).toMatchObject({ outcome: 'ALREADY_LOCAL', local: { kind: 'native' } });
});

test('the copy is described by names: category, branch, fields', async () => {
  expect(jsonOf(await explain(eligible[1] ?? '', { args: ['--branch', 'NORTH'] }))).toMatchObject({
    copy: {
      category: 'PT',
      branch: 'NORTH',
      homeKey: expect.stringMatching(/^midland:\d+$/),
      fields: expect.arrayContaining(['surname', 'date_of_birth']),
      attributeTypes: ['PASSPORTED', 'PASSPORTED_ID'],
    },
  });
});

test('a library that does not answer is named, and so is one that refuses', async () => {
  doubles[2]?.addFaults([{ operation: 'GET /patrons', times: 9, kind: 'status', status: 503 }]);
  expect(jsonOf(await explain('21234999999999'))).toMatchObject({
    outcome: 'HOME_UNREACHABLE',
    silent: [expect.objectContaining({ library: 'lakeside', reason: 'NO_ANSWER' })],
  });
});

test('nothing is written: the worker would, explain does not', async () => {
  const before = doubles.map((double) => JSON.stringify(double.state()));
  doubles.forEach((double) => double.clearCalls());
  for (const card of [eligible[2], expired[0], twoHomes[0]]) await explain(card ?? '');
  expect(doubles.map((double) => JSON.stringify(double.state()))).toEqual(before);
  const operations = doubles.flatMap((double) => double.calls()).map(({ operation }) => operation);
  expect(operations.filter((operation) => !operation?.startsWith('GET '))).toEqual(
    operations.filter((operation) => operation === 'POST /oauth/token'),
  );
});

test('T-32 neither the card nor anything of the patron is printed', async () => {
  const card = eligible[3] ?? '';
  const patron = doubles[0]?.state(card).patrons[0];
  const planted = [card, patron?.['surname'], patron?.['address'], patron?.['email']].filter(
    (value) => typeof value === 'string',
  );
  expect(planted.length).toBeGreaterThan(2);
  const asText = await passport(['explain', '--at', 'riverside', '--card', '-'], env(), { input: card });
  expect(asText.out).toMatch(/^COPIED\n/);
  const printed = [asText, await explain(card)].map(({ out, err }) => out + err).join('\n');
  for (const value of planted) expect(printed).not.toContain(value);
});

test('a lending Koha that cannot be read ends with 1 and points to doctor', async () => {
  const riverside = doubles[1];
  riverside?.addFaults([{ operation: 'GET /', times: 9, kind: 'status', status: 500 }]);
  const { code, err } = await passport(['explain', '--at', 'riverside', '--card', '-'], env(), {
    input: eligible[4] ?? '',
  });
  expect(code).toBe(1);
  expect(err).toMatch(
    /\npassport: riverside: GET \/: http_5xx \(500\); `passport doctor riverside` says more\n$/,
  );
});

test('a library that is no lending library has nothing to explain', async () => {
  const { code, err } = await explain('1', { more: { agreements: [] } });
  expect(code).toBe(2);
  expect(err + (await explain('1', { more: { agreements: [] } })).out).toContain(
    'no agreement has riverside as its lending library',
  );
});

describe('who explains a card is no more unseen than who scans it', () => {
  const auditOf = ({ err }: { err: string }) =>
    err
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('the audit has a line: who, at which library, which card by its hash, what came of it', async () => {
    const card = eligible[3] ?? '';
    const ran = await explain(card);
    expect(auditOf(ran)).toEqual([
      expect.objectContaining({
        audit: true,
        action: 'explain',
        by: 'tester',
        lending: 'riverside',
        card_hash: createEncryption([KEY]).hash('card', card),
        found: ['midland'],
        result: 'COPIED',
      }),
    ]);
    expect(ran.err).not.toContain(card);
  });

  test('it counts under the limits of the hour, and ends where they are used up', async () => {
    await redis.call('FLUSHALL');
    const more = { defaults: { copy: { category: 'PT' }, limits: { misses_per_hour: 2 } } };
    const codes: number[] = [];
    for (let count = 0; count < 3; count += 1)
      codes.push((await explain(`2123499999990${count}`, { more })).code);
    expect(codes).toEqual([0, 0, 1]);
    const refused = await explain(eligible[0] ?? '', { more });
    expect(jsonOf(refused)).toMatchObject({ error: { code: 'limit_reached' } });
    expect(auditOf(refused)).toEqual([expect.objectContaining({ result: 'limit_reached' })]);
  });

  test('it uses the limit of what it came to, and no other', async () => {
    await redis.call('FLUSHALL');
    const limits = { copies_per_hour: 1, misses_per_hour: 9, verdicts_per_hour: 1 };
    const more = { defaults: { copy: { category: 'PT' }, limits } };
    const codes: number[] = [];
    for (let count = 0; count < 3; count += 1)
      codes.push((await explain(`2123499999990${count}`, { more })).code);
    expect(codes).toEqual([0, 0, 0]);
  });

  test('a patron who is found counts as a decision, for nothing was copied', async () => {
    await redis.call('FLUSHALL');
    const limits = { copies_per_hour: 1, misses_per_hour: 1, verdicts_per_hour: 2 };
    const more = { defaults: { copy: { category: 'PT' }, limits } };
    for (const card of eligible.slice(0, 2))
      expect(jsonOf(await explain(card, { more }))).toMatchObject({ outcome: 'COPIED' });
    const refused = await explain(eligible[2] ?? '', { more });
    expect(jsonOf(refused)).toMatchObject({ error: { code: 'limit_reached' } });
    expect(auditOf(refused)).toEqual([expect.objectContaining({ limit: 'verdicts' })]);
  });

  test('a look that a Koha refuses is in the audit, too', async () => {
    const riverside = doubles.find(({ library }) => library === 'riverside');
    riverside?.addFaults([{ operation: 'GET /', times: 9, kind: 'status', status: 500 }]);
    const ran = await explain(eligible[0] ?? '');
    expect([ran.code, auditOf(ran)]).toEqual([1, [expect.objectContaining({ result: 'failed' })]]);
  });
});

describe('what a scan would meet at the lending library', () => {
  const [riverside] = [() => doubles[1]];
  const [card = ''] = eligible;
  const copy = { category: 'PT', on_look_alike: 'stop' };
  const explained = async (args: string[] = []) =>
    jsonOf(await explain(card, { args, more: { defaults: { copy } } }));

  test('somebody of this name and birth date, who is searched for with a receipt', async () => {
    await redis.call('FLUSHALL');
    const person = doubles[0]?.state(card).patrons[0];
    const { surname, firstname, date_of_birth } = { ...person };
    expect(await explained()).toMatchObject({ outcome: 'COPIED' });
    riverside()?.putPatron('LOCAL-1', { surname, firstname, date_of_birth });
    expect(await explained()).toMatchObject({ outcome: 'LOOKS_LIKE_LOCAL_PATRON', lookAlike: true });
    const { out } = await passport(['copies', 'export', '--at', 'riverside', '--json'], env());
    expect(JSON.parse(out)).toMatchObject({
      receipts: [0, 1].map(() => ({ home: 'midland', fields: ['surname', 'firstname', 'date_of_birth'] })),
    });
    riverside()?.deletePatron('LOCAL-1');
  });

  test('a branch that is not there', async () => {
    expect(await explained(['--branch', 'NOPE'])).toMatchObject({
      outcome: 'MISCONFIGURED',
      problem: { library: 'riverside', what: 'branch', name: 'NOPE' },
    });
  });
});
