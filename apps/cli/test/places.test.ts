import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JobData } from '@passport/contract';
import { type KohaDouble, startKohaDouble } from '@passport/koha-double';
import { type DisclosureReceipt, openReceipts, readCopyRecords } from '@passport/queue/copies';
import { openScanQueue } from '@passport/queue/scans';
import { writeOwed } from '@passport/queue/sweeps';
import {
  localTime,
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { only, populate } from './doctor-fixture.ts';
import { type Ran, consortiumOf, jsonOf, passport } from './run-cli.ts';

const when = (iso: string): string => localTime(Date.parse(iso));

/** Distinguishable from all that may be printed. */
const PLANTED = {
  surname: 'Qvistgaardplanted',
  email: 'mailplanted@post.example',
  date_of_birth: '1977-07-17',
};
const CARD = '21234000077777';
const KEY = 'midland:812';

let server: StartedRedis;
let redis: Redis;
let midland: KohaDouble;
let riverside: KohaDouble;
let lakeside: KohaDouble;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  server = await startRedis();
  const log = createLogger({ name: 'test', level: 'silent' });
  redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
  await untilRedisReady(redis, 5_000);
});
afterAll(async () => {
  await closeRedis(redis);
  await server.stop();
});
beforeEach(async () => {
  await server.call('FLUSHALL');
  [midland, riverside, lakeside] = await Promise.all([
    startKohaDouble({ library: 'midland' }),
    startKohaDouble({ library: 'riverside' }),
    startKohaDouble({ library: 'lakeside' }),
  ]);
  for (const double of [riverside, lakeside]) populate(double);
  env = environment();
});
afterEach(() => Promise.all([midland, riverside, lakeside].map((double) => double.close())));

function environment(
  change: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): NodeJS.ProcessEnv {
  const doubles = [midland, riverside, lakeside].map((double) => ({
    ...double,
    change: change[double.library] ?? {},
  }));
  return {
    ...consortiumOf(doubles),
    REDIS_URL: server.url,
    PASSPORT_KEY: randomBytes(32).toString('base64'),
  };
}

/** A copy at a lending library, as the worker makes it. */
function putCopy(double: KohaDouble, homeKey = KEY, card = CARD): number {
  const [home = ''] = homeKey.split(':');
  double.putPatron(card, {
    ...PLANTED,
    extended_attributes: [
      { type: 'PASSPORTED', value: home },
      { type: 'PASSPORTED_ID', value: homeKey },
    ],
  });
  return Number(double.state(card).patrons[0]?.['patron_id']);
}

/** With `patronId` the copy is on record, too. */
async function putReceipt(
  lending: string,
  eventId: string,
  { homeKey = KEY, ...more }: Partial<DisclosureReceipt> = {},
): Promise<void> {
  const [home = ''] = homeKey.split(':');
  const receipt = {
    at: '2026-11-20T09:00:00.000Z',
    home,
    lending,
    homeKey,
    fields: ['surname', 'email'],
    eventId,
    ...more,
  };
  await openReceipts(redis).append(receipt, Date.now(), 400 * 86_400_000);
}

/** The environment as it is, once something has been done. */
const after = (_done: unknown): NodeJS.ProcessEnv => env;
const ownBranchOnly = { release: '26.05', ...only('edit_borrowers', 'list_borrowers') } as const;
const silent = { operation: 'GET /patrons', times: 9, kind: 'status', status: 503 } as const;

/** A row that is no patron by anything known of Koha, beside its number. */
const UNREADABLE = { patron_id: 9_999, cardnumber: 7 };
/** Of an event whose state is all that counts here. */
const JOB = { v: 1, event_id: 'evt_2', library: 'lakeside' } as JobData;

interface Printed {
  readonly places: readonly {
    readonly home_key: string;
    readonly lending: string;
    readonly state: string;
    readonly disclosed: { readonly receipts: number; readonly fields: readonly string[] };
    readonly records: readonly { readonly patron_id: number; readonly fields: readonly string[] }[];
    readonly todo?: string | null;
    readonly receipts_stay?: string | null;
  }[];
}
const run = (...args: string[]): Promise<Ran> => passport(args, env);
const exported = async (...args: string[]): Promise<Printed> =>
  jsonOf(await run('export', ...args, '--json')) as Printed;
const erased = async (...args: string[]): Promise<Printed> =>
  jsonOf(await run('erase', KEY, ...args, '--json')) as Printed;
const statesOf = ({ places }: Printed) => places.map(({ lending, state }) => `${lending} ${state}`);
const receiptsLeft = async (): Promise<number> => redis.xlen('{passport}:receipts');

describe("export of a patron's data", () => {
  test('lists each place with what was disclosed and what is held, by the names of fields', async () => {
    const patronId = putCopy(riverside);
    await putReceipt('riverside', 'evt_1');
    await putReceipt('lakeside', 'evt_2');

    const { code, out } = await run('export', '--patron', KEY);

    expect(code).toBe(0);
    expect(out).toContain('riverside: a copy is there\n');
    expect(out).toContain(
      `  disclosed  ${when('2026-11-20T09:00:00.000Z')} (1 receipt)\n  fields     surname email\n`,
    );
    expect(out).toContain(`  record     patron ${patronId}, copy, since `);
    expect(out).toMatch(/holds {6}surname .*email.*date_of_birth/);
    expect(out).toContain('lakeside: no record with this home key is there (any more)\n');
  });

  test('lists what is known of debts there, and of nobody else’s', async () => {
    putCopy(riverside);
    const row = { overdues: 2, amount: 350, over_since_ms: 1, restricted: true };
    const readings = new Map([
      [
        'midland',
        { read_ms: 0, rows: { [KEY]: row, 'midland:8123': { ...row, amount: 77_77 } }, unconfirmed: 0 },
      ],
    ]);
    await writeOwed(redis, 'riverside', readings);

    const { out } = await run('export', '--patron', KEY);
    expect(out).toContain(
      `  owes       2 overdue, 3.50, restricted at home (${when('1970-01-01T00:00:00.000Z')})\n`,
    );
    expect(out).not.toContain('77.77');
    expect((await exported('--patron', KEY)).places).toMatchObject([
      { lending: 'riverside', owed: { overdues: 2, amount: '3.50', restricted_at_home: true } },
    ]);
    await writeOwed(redis, 'riverside', new Map());
    expect((await exported('--patron', KEY)).places).toMatchObject([{ lending: 'riverside', owed: null }]);
  });

  test('finds a copy that no receipt is left of, and none of another patron', async () => {
    putCopy(riverside);
    putCopy(lakeside, 'midland:8123', '21234000088888');

    expect(statesOf(await exported('--patron', KEY))).toEqual(['riverside copy']);
  });

  test('lists a record that Koha merged two copies into under the wanted home key alone', async () => {
    const both = [KEY, 'midland:8123'].map((value) => ({ type: 'PASSPORTED_ID', value }));
    riverside.putPatron(CARD, {
      ...PLANTED,
      extended_attributes: [{ type: 'PASSPORTED', value: 'midland' }, ...both],
    });

    expect((await exported('--patron', KEY)).places).toMatchObject([{ home_key: KEY, state: 'copy' }]);
  });

  test.each<[state: string, bring: () => NodeJS.ProcessEnv]>([
    ['anonymized', () => after(riverside.anonymizePatron(CARD))],
    [
      'released',
      () =>
        after(riverside.putPatron(CARD, { extended_attributes: [{ type: 'PASSPORTED_ID', value: KEY }] })),
    ],
    ['gone', () => after(riverside.deletePatron(CARD))],
    [
      'not_seen',
      () => {
        riverside.deletePatron(CARD);
        return after(riverside.putSettings(ownBranchOnly));
      },
    ],
    ['no_answer', () => after(riverside.addFaults([silent]))],
    ['refused', () => after(riverside.putSettings({ permissions: [] }))],
    ['disabled', () => environment({ riverside: { enabled: false } })],
    ['no_home_keys', () => environment({ riverside: { copy: { home_key_attribute: null } } })],
  ])('says of a record where it is now: %s', async (state, bring) => {
    putCopy(riverside);
    await putReceipt('riverside', 'evt_1');
    env = bring();

    const ran = await run('export', '--patron', KEY, '--json');

    expect(statesOf(jsonOf(ran) as Printed)).toEqual([`riverside ${state}`]);
    expect(ran.code).toBe(['anonymized', 'released', 'gone'].includes(state) ? 0 : 1);
  });

  test('lists a lending library that left the consortium, by its receipts', async () => {
    await putReceipt('hillside', 'evt_1');

    const ran = await run('export', '--patron', KEY, '--json');

    expect(statesOf(jsonOf(ran) as Printed)).toEqual(['hillside not_configured']);
    expect(ran.code).toBe(1);
  });

  test('prints no value, and one audit line', async () => {
    putCopy(riverside);
    await putReceipt('riverside', 'evt_1');

    const { out, err } = await run('export', '--patron', KEY, '--json');

    for (const value of [...Object.values(PLANTED), CARD]) expect(out + err).not.toContain(value);
    expect(JSON.parse(err)).toMatchObject({
      audit: true,
      action: 'export',
      by: 'tester',
      home_key: KEY,
      lending: ['riverside'],
    });
  });

  test('says so where nothing is known', async () => {
    expect(await run('export', '--patron', KEY)).toMatchObject({
      code: 0,
      out: `${KEY}: no receipt and no copy\n`,
    });
  });
});

describe('a consent', () => {
  const yes = (at: string, text_id: string, operator: number | null) => ({
    consent: { text_id, operator, at },
  });
  const append = (eventId: string, at: string, more: object = {}) =>
    openReceipts(redis).append(
      { at, home: 'midland', lending: 'riverside', homeKey: KEY, fields: ['surname'], eventId, ...more },
      Date.now(),
      400 * 86_400_000,
    );
  const consents = async () => {
    const [place] = printedConsents(await run('export', '--patron', KEY, '--json'));
    const { out } = await run('export', '--patron', KEY);
    return { ...place, lines: out.split('\n').filter((line) => line.startsWith('  consent')) };
  };
  const printedConsents = (ran: Ran) =>
    (
      jsonOf(ran) as { places: { lending: string; consents: { given: object[]; gap: string | null } }[] }
    ).places
      .filter(({ lending }) => lending === 'riverside')
      .map(({ consents: found }) => found);

  test('that was given is listed with its text, who requested it, and when', async () => {
    await append('evt_1', '2026-11-20T09:00:00.000Z', yes('2026-11-20T08:59:58.000Z', 'visitors-1', 51));
    await append('evt_2', '2026-11-21T09:00:00.000Z', yes('2026-11-21T08:59:58.000Z', 'visitors-2', null));
    expect(await consents()).toEqual({
      given: [
        { at: '2026-11-20T08:59:58.000Z', text_id: 'visitors-1', operator: 51, event: 'evt_1' },
        { at: '2026-11-21T08:59:58.000Z', text_id: 'visitors-2', operator: null, event: 'evt_2' },
      ],
      gap: null,
      lines: [
        `  consent    ${when('2026-11-20T08:59:58.000Z')} to the text visitors-1, requested by the member of staff with the number 51`,
        `  consent    ${when('2026-11-21T08:59:58.000Z')} to the text visitors-2`,
      ],
    });
  });

  test('of an event with two receipts is listed once', async () => {
    const given = yes('2026-11-20T08:59:58.000Z', 'visitors-1', 51);
    await append('evt_1', '2026-11-20T09:00:00.000Z', given);
    await append('evt_1', '2026-11-20T09:00:01.000Z', { ...given, fields: ['surname', 'email'] });
    expect((await consents()).given).toHaveLength(1);
  });

  test('that was not requested, or is not known any more, is said to be so', async () => {
    expect(await consents()).toEqual({ lines: [] });
    await append('evt_1', '2026-11-20T09:00:00.000Z');
    expect(await consents()).toMatchObject({
      given: [],
      gap: 'not_requested',
      lines: [expect.stringMatching(/did not request/)],
    });
    await server.call('FLUSHALL');
    riverside.putPatron(CARD, { ...PLANTED, date_enrolled: '2026-01-01', extended_attributes: attributes() });
    expect(await consents()).toMatchObject({
      given: [],
      gap: 'receipts_gone',
      lines: [expect.stringMatching(/none is known any more/)],
    });
    await append('evt_1', '2026-11-20T09:00:00.000Z', yes('2026-11-20T08:59:58.000Z', 'visitors-1', 51));
    expect(await consents()).toMatchObject({
      given: [{ text_id: 'visitors-1' }],
      gap: 'older_receipts_gone',
      lines: [expect.stringMatching(/visitors-1/), expect.stringMatching(/given before/)],
    });
  });
});
const attributes = () => [
  { type: 'PASSPORTED', value: 'midland' },
  { type: 'PASSPORTED_ID', value: KEY },
];

test("export of a library lists its patrons elsewhere, and others' patrons at it, as CSV", async () => {
  putCopy(riverside);
  putCopy(lakeside, 'riverside:4', '25678000000004');
  putCopy(lakeside, 'midland:9', '21234000000009');
  await putReceipt('lakeside', 'evt_1', { homeKey: 'riverside:5' });

  const { code, out, err } = await run('export', '--library', 'riverside');

  expect(code).toBe(0);
  const [header, ...lines] = out.trimEnd().split('\n');
  expect(header).toMatch(/^home_key,lending,state,patron_id,/);
  expect(lines.map((line) => line.split(',').slice(0, 3).join(' '))).toEqual([
    'riverside:4 lakeside copy',
    'riverside:5 lakeside gone',
    'midland:812 riverside copy',
  ]);
  expect(JSON.parse(err)).toMatchObject({ audit: true, action: 'export', library: 'riverside', places: 3 });
});

test('export of a library does not call a copy gone while a record there cannot be read', async () => {
  putCopy(riverside, 'midland:9', '21234000000009');
  await putReceipt('riverside', 'evt_1');
  riverside.addFaults([
    { operation: 'GET /patrons', times: 1, kind: 'status', status: 200, body: [UNREADABLE] },
  ]);

  const { places } = await exported('--library', 'midland');

  expect(places).toMatchObject([{ home_key: KEY, state: 'not_seen' }]);
});

/** The last line of the audit. */
const lastLine = (err: string): unknown => JSON.parse(err.trim().split('\n').at(-1) ?? '');

describe("erasure of a patron's data", () => {
  test('is only planned, with what each library has to do and what its Koha keeps', async () => {
    const patronId = putCopy(riverside);
    await putReceipt('riverside', 'evt_1');
    await putReceipt('lakeside', 'evt_2');

    const { code, out, err } = await run('erase', KEY);

    expect(code).toBe(0);
    expect(out).toContain(`to do     delete patron ${patronId} in its Koha`);
    expect(out).toContain('1 receipt: kept, because a copy is there');
    expect(out).toContain('1 receipt: removed with --apply');
    expect(out).toContain('cleanup_database.pl --deleted-patrons DAYS --confirm');
    expect(out).toContain('cleanup_database.pl --logs DAYS --log-module MEMBERS --confirm');
    expect(out).toContain('failed ones 7 days');
    expect(await receiptsLeft()).toBe(2);
    expect(riverside.state(CARD).patrons).toHaveLength(1);
    expect(lastLine(err)).toMatchObject({ audit: true, action: 'erase', home_key: KEY, result: 'planned' });
  });

  test('removes the receipts where no record is left, and keeps the others', async () => {
    putCopy(riverside);
    await putReceipt('riverside', 'evt_1');
    await putReceipt('lakeside', 'evt_2');
    await putReceipt('lakeside', 'evt_3', { homeKey: 'midland:8123' });

    const { code, out, err } = await run('erase', KEY, '--apply');

    expect(code).toBe(1);
    expect(out).toMatch(/1 receipt removed\n$/);
    expect(statesOf(await exported('--patron', KEY))).toEqual(['riverside copy']);
    expect(await receiptsLeft()).toBe(2);
    expect(riverside.state(CARD).patrons).toHaveLength(1);
    expect(lastLine(err)).toMatchObject({ action: 'erase', result: 'incomplete', receipts: 1 });
  });

  /** What the plugin remembers of a copy that the service has written into. */
  const remember = (patron_id: number, home_key = KEY): void =>
    riverside.putCopy({ patron_id, version: 0, home_key, fields: {} });
  /** A copy in a category of copies. */
  const putVisitor = (homeKey?: string, card = CARD): number => {
    const id = putCopy(riverside, homeKey, card);
    riverside.putPatron(card, { category_id: 'PT' });
    return id;
  };

  test('deletes what nothing keeps, with its receipt, and then removes all of them', async () => {
    const id = putVisitor();
    remember(id);
    const other = putVisitor('midland:8123', '21234000000009');
    remember(other, 'midland:8123');
    await putReceipt('riverside', 'evt_1', { patronId: id });
    await putReceipt('riverside', 'evt_2', { patronId: other, homeKey: 'midland:8123' });

    const plan = await run('erase', KEY);
    expect(plan.out).toContain(`  copy      patron ${id}: deleted with --apply\n`);
    expect(plan.out).not.toContain('to do');
    expect(riverside.state(CARD).patrons).toHaveLength(1);

    const { code, out, err } = await run('erase', KEY, '--apply');
    expect([code, riverside.state(CARD).patrons]).toEqual([0, []]);
    expect(riverside.state('21234000000009').patrons).toHaveLength(1);
    expect(out).toContain(`  copy      patron ${id}: deleted\n`);
    expect(out).toMatch(/2 receipts removed\n$/);
    const lines = err.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { action: 'copies_delete', patron_id: id, home_key: KEY, because: ['erased'], result: 'deleted' },
      { action: 'erase', home_key: KEY, result: 'done', receipts: 2 },
    ]);
    expect(out + err).not.toMatch(/Planted/);
    expect(await receiptsLeft()).toBe(1);
    expect((await run('erase', KEY)).out).toBe(`${KEY}: no receipt and no copy\n`);
  });

  test('says what keeps a copy, and is done when only that is left', async () => {
    const id = putVisitor();
    remember(id);
    riverside.putPatron(CARD, { account_balance: 2.5, lists: 1 });
    await putReceipt('riverside', 'evt_1', { patronId: id });

    const { code, out } = await run('erase', KEY, '--apply');
    expect(code).toBe(0);
    expect(out).toContain(`  copy      patron ${id}: kept by debt lists\n`);
    expect(out).toContain('1 receipt: kept, because a copy is there');
    expect([riverside.state(CARD).patrons.length, await receiptsLeft()]).toEqual([1, 1]);

    riverside.putPatron(CARD, { account_balance: 0, lists: 0 });
    expect((await run('erase', KEY, '--apply')).code).toBe(0);
    expect([riverside.state(CARD).patrons.length, await receiptsLeft()]).toEqual([0, 0]);
  });

  test('leaves to the library what may be an own patron, and goes on where one Koha fails', async () => {
    const id = putVisitor();
    await putReceipt('riverside', 'evt_1', { patronId: id });
    const { code, out } = await run('erase', KEY, '--apply');
    expect(code).toBe(1);
    expect(out).toContain(`  copy      patron ${id}: not_remembered\n`);
    expect(out).toContain(`to do     delete patron ${id} in its Koha`);

    remember(id);
    riverside.addFaults([
      { operation: 'POST /contrib/passport/deletions', times: 9, kind: 'status', status: 503 },
    ]);
    expect((await run('erase', KEY, '--apply')).code).toBe(1);
    riverside.clearFaults();
    expect(riverside.state(CARD).patrons).toHaveLength(1);
    expect((await run('erase', KEY, '--apply')).code).toBe(0);
  });

  test('is complete when the copy is deleted', async () => {
    putCopy(riverside);
    await putReceipt('riverside', 'evt_1');
    riverside.deletePatron(CARD);

    const { code, err } = await run('erase', KEY, '--apply');

    expect(code).toBe(0);
    expect(await receiptsLeft()).toBe(0);
    expect(lastLine(err)).toMatchObject({ result: 'done', receipts: 1 });
    expect((await run('erase', KEY)).out).toBe(`${KEY}: no receipt and no copy\n`);
  });

  test('keeps receipts where a copy may be hidden, or its Koha does not answer', async () => {
    await putReceipt('riverside', 'evt_1');
    await putReceipt('lakeside', 'evt_2');
    riverside.putSettings(ownBranchOnly);
    lakeside.addFaults([silent]);

    const { places } = await erased('--apply');

    expect(places.map(({ lending, receipts_stay: why }) => [lending, why])).toEqual([
      ['lakeside', 'its Koha did not answer'],
      ['riverside', 'no record is seen, but our API user does not see the records of all patrons'],
    ]);
    expect(await receiptsLeft()).toBe(2);
  });

  test('names the events whose jobs are kept, and keeps receipts while one has not ended', async () => {
    await putReceipt('lakeside', 'evt_2');
    const queue = openScanQueue(redis);
    await queue.add('scan', JOB, { jobId: 'lakeside.evt_2' });

    const { places } = await erased('--apply');
    await queue.close();

    expect(places).toMatchObject([
      {
        lending: 'lakeside',
        state: 'gone',
        kept_events: [{ event: 'evt_2', state: 'waiting' }],
        receipts_stay: 'event evt_2 has not ended',
      },
    ]);
    expect(await receiptsLeft()).toBe(1);
  });

  test('drops what is on record of copies where their receipts go, and keeps it where they stay', async () => {
    const id = putCopy(riverside);
    await putReceipt('riverside', 'evt_1', { patronId: id });
    await putReceipt('lakeside', 'evt_2', { patronId: 403 });
    await putReceipt('lakeside', 'evt_3', { patronId: 404, homeKey: 'midland:8' });
    const deletion = { patronId: 403, homeKey: KEY, eventId: 'evt_4', atMs: 1 };
    await redis.hset('{passport}:deletions:lakeside', '403', JSON.stringify(deletion));
    const recordsAt = async (lending: string) => [
      ...(await readCopyRecords(redis, lending, [id, 403, 404])).keys(),
    ];
    const exportedText = (await run('export', '--patron', KEY)).out;
    expect(exportedText).toContain(`  on record  patron ${id}\n`);

    const { out } = await run('erase', KEY, '--apply');

    expect(out).toContain(`  on record patron ${id}: kept, because a copy is there\n`);
    expect(out).toContain('  on record patron 403: removed\n');
    expect(out).toContain('1 receipt removed, 1 on record no longer\n');
    expect([await recordsAt('riverside'), await recordsAt('lakeside')]).toEqual([[id], [404]]);
    expect(await redis.hlen('{passport}:deletions:lakeside')).toBe(0);
  });

  test('finds what is on record of a copy that no receipt is left of', async () => {
    await putReceipt('lakeside', 'evt_2', { patronId: 403 });
    await redis.del('{passport}:receipts');

    expect(await erased('--apply')).toMatchObject({
      records_removed: 1,
      places: [{ lending: 'lakeside', state: 'gone', on_record: [403] }],
    });
    expect(await erased('--apply')).toMatchObject({ records_removed: 0, places: [] });
  });

  test('lists new values of a copy and its release, by their receipts', async () => {
    await putReceipt('lakeside', 'evt_1', { patronId: 403 });
    await putReceipt('lakeside', 'evt_2', { patronId: 403, what: 'refreshed', fields: ['phone'] });
    await putReceipt('lakeside', 'evt_3', { patronId: 403, what: 'released', fields: [] });

    const { out } = await run('export', '--patron', KEY);

    expect(out).toContain(
      `  refreshed  ${when('2026-11-20T09:00:00.000Z')} (1 receipt), into patron 403\n  fields     phone\n`,
    );
    expect(out).toContain(`  released   ${when('2026-11-20T09:00:00.000Z')}\n`);
    const csv = (await run('export', '--library', 'midland')).out;
    expect(csv).toContain(',surname email phone,,2026-11-20T09:00:00.000Z');
  });

  test('keeps the mark of a receipt, so that a repeated event does not write it anew', async () => {
    await putReceipt('lakeside', 'evt_2');
    await run('erase', KEY, '--apply');
    await putReceipt('lakeside', 'evt_2');

    expect(await receiptsLeft()).toBe(0);
  });
});
