import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KohaError } from '@passport/koha-client';
import { type DisclosureReceipt, readReceipts } from '@passport/queue/copies';
import { leakGuard } from '@passport/testkit';
import { LibraryClosed } from '../src/koha/koha-failure.ts';
import { buildPassOn } from '../src/sweep/pass-on.ts';
import { openEmptyRedis } from './empty-redis.ts';
import { LENDER, type PutHow, type SweepBench, cardOf, openSweep } from './sweep-bench.ts';

const own = leakGuard({ beforeEach, afterEach });
const { redis } = await openEmptyRedis();

const SWEEP = { sweep: '02:00' };
const CONSENT = { copy: { consent: 'ask', consent_text: { id: 'v1', text: 'May we?' } } };

async function open(entry: object = {}, refresh: object = SWEEP): Promise<SweepBench> {
  return own(await openSweep(['midland', 'lakeside'], redis, { refresh, ...entry }));
}

/** A copy whose home record has another e-mail address by now. */
function put(bench: SweepBench, index: number, how: PutHow = {}): string {
  const card = bench.put('midland', index, how);
  bench.homes['midland']?.putPatron(card, { email: `new${index}@midland.example` });
  return card;
}

const patronOf = ({ lender }: SweepBench, card: string) => lender.state(card).patrons[0];
const emailOf = (bench: SweepBench, card: string): unknown => patronOf(bench, card)?.['email'];
const keyOf = ({ homes }: SweepBench, card: string, home = 'midland'): string =>
  `${home}:${homes[home]?.state(card).patrons[0]?.patron_id ?? 0}`;
const findingsOf = async (bench: SweepBench, home = 'midland') => (await bench.sweep()).homes[home]?.findings;

async function receipts(): Promise<DisclosureReceipt[]> {
  const found: DisclosureReceipt[] = [];
  for await (const each of readReceipts(redis)) found.push(each);
  return found.filter(({ what }) => what === 'refreshed');
}

const kohaError = (change: Partial<ConstructorParameters<typeof KohaError>[0]>): KohaError =>
  new KohaError({
    code: 'unreachable',
    library: LENDER,
    operation: 'PUT /patrons/{patron_id}',
    status: null,
    effect: 'none',
    ...change,
  });

const passportOf = (homeKey: string) => [
  { type: 'PASSPORTED', value: homeKey.split(':')[0] },
  { type: 'PASSPORTED_ID', value: homeKey },
];

/** Nothing that home has now may have reached the lending library, and no home was asked. */
function expectNothingPassedOn(bench: SweepBench): void {
  const writes = bench.lender.calls().filter(({ operation }) => operation === 'PUT /patrons/{patron_id}');
  expect(writes).toHaveLength(0);
  const emails = bench.lender.state().patrons.map(({ email }) => String(email));
  expect(emails.filter((email) => email.startsWith('new'))).toEqual([]);
}

describe('only a copy on record is followed', () => {
  test('an empty record with a home key that the lending Koha invented gets nothing, and home is not asked', async () => {
    const bench = await open();
    const card = put(bench, 0, { receipt: null, remembered: false });
    const homeKey = keyOf(bench, card);
    for (const [index, fields] of [{}, { surname: null, cardnumber: null }].entries()) {
      const { patron_id } = bench.lender.putPatron(`made-up-${index}`, {
        ...fields,
        category_id: 'PT',
        extended_attributes: passportOf(homeKey),
      });
      bench.lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields: {} });
    }
    bench.homes['midland']?.clearCalls();

    expect(await findingsOf(bench)).toEqual({ NOT_ON_RECORD: 3 });

    expectNothingPassedOn(bench);
    expect(bench.calls(bench.homes['midland'] ?? bench.lender)).toEqual([]);
    expect(await receipts()).toEqual([]);
  });

  test('a clerk who gives a copy the home key of somebody else, with the old hashes beside it, gets nothing', async () => {
    const bench = await open();
    const card = put(bench, 0);
    const child = put(bench, 1, { receipt: null });
    const copy = patronOf(bench, card);
    const row = bench.lender.state().copies.find(({ patron_id }) => patron_id === copy?.patron_id);
    const homeKey = keyOf(bench, child);
    bench.lender.putPatron(card, { email: null, city: null, extended_attributes: passportOf(homeKey) });
    if (row !== undefined) bench.lender.putCopy({ ...row, home_key: homeKey });

    expect(await findingsOf(bench)).toEqual({ NOT_ON_RECORD: 2 });

    expectNothingPassedOn(bench);
  });

  test.each(['deleted', 'released'] as const)('a copy that was %s is followed no more', async (what) => {
    const bench = await open();
    const card = put(bench, 0);
    await bench.recordCopies();
    const { patron_id: patronId = 0 } = patronOf(bench, card) ?? {};
    const ended = { home: 'midland', lending: LENDER, homeKey: keyOf(bench, card), fields: [], patronId };
    await bench.receipts.append({ ...ended, at: '', eventId: 'ended', what }, Date.now(), 1_000_000);

    expect(await findingsOf(bench)).toEqual({ NOT_ON_RECORD: 1 });

    expectNothingPassedOn(bench);
  });

  test('a hash of one home patron is none of another, though the record were changed', async () => {
    const bench = await open();
    const card = put(bench, 0, { remembered: false });
    const homeKey = keyOf(bench, card);
    const stranger = put(bench, 1, { receipt: null });
    const { patron_id = 0 } = patronOf(bench, card) ?? {};
    // What would be remembered of the same values for the other patron.
    const foreign = bench.lender.state().copies.find(({ home_key }) => home_key === keyOf(bench, stranger));
    bench.lender.putCopy({ patron_id, version: 0, home_key: homeKey, fields: foreign?.fields ?? {} });

    expect(await findingsOf(bench)).toMatchObject({ KEPT_LOCAL: 1, NOT_ON_RECORD: 1 });

    expect(emailOf(bench, card)).toBe('p0@midland.example');
  });
});

test.each(['reset_before', 'reset_after'] as const)(
  'a restriction whose answer was lost (%s) keeps its receipt: it has left',
  async (kind) => {
    const bench = await open({}, { ...SWEEP, restricted: 'apply' });
    const card = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(card, { restricted: true });
    const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
    bench.lender.addFaults([{ operation, times: 99, kind }]);

    await expect(bench.sweep()).rejects.toThrow(LENDER);

    expect(await receipts()).toMatchObject([{ homeKey: keyOf(bench, card), fields: ['restricted'] }]);
  },
);

describe('no field is written without a hash that matches', () => {
  test('one that was emptied here together with its hash stays empty', async () => {
    const bench = await open();
    const card = put(bench, 0);
    const [row] = bench.lender.state().copies;
    const { email: _hash, ...fields } = (row?.fields ?? {}) as Record<string, unknown>;
    bench.lender.putPatron(card, { email: null });
    if (row !== undefined) bench.lender.putCopy({ ...row, fields });

    expect(await findingsOf(bench)).toEqual({ NOT_REMEMBERED: 1 });

    expectNothingPassedOn(bench);
  });

  test('one that was agreed on later is remembered as empty, and gets its value and a receipt at the next look', async () => {
    const bench = await open();
    const card = put(bench, 0, { fields: ['surname', 'city', 'expiry_date'] });

    expect(await findingsOf(bench)).toEqual({ UNCHANGED: 1 });
    expect(emailOf(bench, card)).toBeNull();
    expect(await receipts()).toEqual([]);

    expect(await findingsOf(bench)).toEqual({ REFRESHED: 1 });
    expect(emailOf(bench, card)).toBe('new0@midland.example');
    expect(await receipts()).toMatchObject([{ fields: ['email'], homeKey: keyOf(bench, card) }]);
  });
});

describe('what is passed on', () => {
  test('has a receipt that names the fields, the copy and no value', async () => {
    const bench = await open();
    const card = put(bench, 0);
    bench.homes['midland']?.putPatron(card, { city: 'Harbourtown' });
    await bench.sweep();

    const found = await receipts();
    expect(found).toEqual([
      {
        at: expect.any(String),
        home: 'midland',
        lending: LENDER,
        homeKey: keyOf(bench, card),
        fields: ['email', 'city'],
        eventId: expect.stringMatching(/^sweep-/),
        patronId: patronOf(bench, card)?.patron_id,
        what: 'refreshed',
      },
    ]);
    expect(JSON.stringify(found)).not.toContain('Harbourtown');
  });

  test('has a receipt for a restriction, too', async () => {
    const bench = await open({}, { ...SWEEP, restricted: 'apply' });
    const card = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(card, { restricted: true });
    await bench.sweep();

    expect(patronOf(bench, card)?.['restricted']).toBe(true);
    expect(await receipts()).toMatchObject([{ fields: ['restricted'], what: 'refreshed' }]);
  });

  const lost = kohaError({ status: null, effect: 'none' });
  const limited = kohaError({ code: 'rate_limited', status: 429 });

  test.each<[string, readonly Error[], number]>([
    ['is withdrawn where no connection was made', [lost], 0],
    [
      'is withdrawn where no token was given',
      [kohaError({ operation: 'POST /oauth/token', status: 403 })],
      0,
    ],
    ['is withdrawn where the library is not called', [], 0],
    ['stays where the answer was lost', [kohaError({ status: null, effect: 'unknown' })], 1],
    ['stays where Koha has answered', [kohaError({ status: 400, effect: 'none' })], 1],
    ['stays where we do not know', [new TypeError('a bug')], 1],
    ['stays where Koha has read it and was not reached again', [limited, lost], 1],
    ['stays where Koha has read it and is not called again', [limited], 1],
  ])('%s', async (_what, failures, left) => {
    const { consortium, receipts: book } = await open();
    const { signal } = new AbortController();
    const passOn = buildPassOn({ consortium, redis, receipts: book, now: Date.now }, signal);
    const pair = { home: 'midland', lending: LENDER, homeKey: 'midland:2', patronId: 402 };
    const values = { ...pair, fields: ['email'], eventId: 'sweep_1' };
    const closed = new LibraryClosed(LENDER);

    await expect(
      passOn(values, async (sending) => {
        for (const failure of failures) await sending(() => Promise.reject(failure)).catch(() => undefined);
        throw closed;
      }),
    ).rejects.toBe(closed);

    expect(await receipts()).toHaveLength(left);
    await passOn(values, (sending) => sending(() => Promise.resolve()));
    expect(await receipts()).toHaveLength(1);
  });

  test('has a receipt where Koha read it, refused the token and gave no other', async () => {
    const bench = await open();
    bench.put('midland', 0);
    await bench.sweep();
    bench.homes['midland']?.putPatron(cardOf('midland', 0), { email: 'new0@midland.example' });
    bench.lender.addFaults([
      { operation: 'PUT /patrons/{patron_id}', kind: 'status', status: 401, body: { error: 'x' } },
      { operation: 'POST /oauth/token', kind: 'status', status: 403, body: { error: 'access_denied' } },
    ]);

    await expect(bench.sweep()).rejects.toThrow('credentials');

    expect(await receipts()).toMatchObject([{ fields: ['email'] }]);
  });

  test('has a receipt for a restriction whose answer was lost', async () => {
    const bench = await open({}, { ...SWEEP, restricted: 'apply' });
    const card = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(card, { restricted: true });
    const operation = 'PUT /contrib/passport/restrictions/{kind}/{library}/{patron_id}';
    bench.lender.addFaults([{ operation, kind: 'reset_after', times: 4 }]);

    await expect(bench.sweep()).rejects.toThrow('reset');

    expect(patronOf(bench, card)?.['restricted']).toBe(true);
    expect(await receipts()).toMatchObject([{ fields: ['restricted'] }]);
  });

  test('is no more copies in an hour than the limit of the lending library', async () => {
    const bench = await open({ limits: { refreshes_per_hour: 2 } });
    for (const index of [0, 1, 2]) put(bench, index);

    await expect(bench.sweep()).rejects.toMatchObject({ untilMs: expect.any(Number) });

    expect(await receipts()).toHaveLength(2);
    expect(
      [0, 1, 2].filter((index) => String(emailOf(bench, cardOf('midland', index))).startsWith('new')),
    ).toEqual([0, 1]);
  });
});

describe('where the lending library requests consent', () => {
  const agreed = { text_id: 'v1', operator: 51, at: '2026-11-20T10:00:00.000Z' };

  test('nothing is passed on of a patron whom nobody has asked', async () => {
    const bench = await open(CONSENT);
    put(bench, 0);

    expect(await findingsOf(bench)).toEqual({ NO_CONSENT: 1 });

    expectNothingPassedOn(bench);
  });

  test('only what the patron agreed to follows home', async () => {
    const bench = await open(CONSENT);
    const card = put(bench, 0, { receipt: { consent: agreed, fields: ['surname', 'email'] } });
    bench.homes['midland']?.putPatron(card, { city: 'Newtown', phone: '0123' });
    for (let night = 0; night < 3; night += 1) await bench.sweep();

    const held = ['email', 'city', 'phone'].map((field) => patronOf(bench, card)?.[field]);
    expect(held).toEqual(['new0@midland.example', 'midland', null]);
    expect((await receipts()).map(({ fields }) => fields)).toEqual([['email']]);
  });
});

test('where consent is requested, what home restricts is only reported', async () => {
  const bench = await open(CONSENT, { ...SWEEP, restricted: 'apply', card_lost: 'apply' });
  const consent = { text_id: 'v1', operator: 51, at: '2026-11-20T10:00:00.000Z' };
  const card = bench.put('midland', 0, { receipt: { consent, fields: ['surname'] } });
  bench.homes['midland']?.putPatron(card, { restricted: true, patron_card_lost: true });

  expect(await findingsOf(bench)).toEqual({ HOME_RESTRICTED: 1, HOME_CARD_LOST: 1 });

  expect(patronOf(bench, card)).toMatchObject({ restricted: false, patron_card_lost: null });
  expect(await receipts()).toEqual([]);
});

describe('a changed card', () => {
  const patterns = { midland: ['^midland-'], lakeside: ['^lakeside-'] };
  const openWith = async (): Promise<SweepBench> =>
    own(await openSweep(['midland', 'lakeside'], redis, { refresh: SWEEP }, patterns));

  test.each([
    ['that fits another library’s', 'lakeside-00001'],
    ['that fits none of its own', 'elsewhere-1'],
  ])('%s pattern is not taken', async (_what, card) => {
    const bench = await openWith();
    const old = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(old, { cardnumber: card });

    expect(await findingsOf(bench)).toEqual({ CARD_NOT_OF_HOME: 1 });

    expect(patronOf(bench, old)?.patron_id).toBeGreaterThan(0);
    expect(await receipts()).toEqual([]);
  });

  test('of its own pattern is taken', async () => {
    const bench = await openWith();
    const old = bench.put('midland', 0);
    bench.homes['midland']?.putPatron(old, { cardnumber: 'midland-77777' });

    expect(await findingsOf(bench)).toEqual({ CARD_CHANGED: 1 });

    expect(patronOf(bench, 'midland-77777')?.patron_id).toBeGreaterThan(0);
  });
});
