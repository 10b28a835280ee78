import { describe, expect, test } from '@jest/globals';
import {
  type DisclosureReceipt,
  dropCopyRecords,
  findCopyRecords,
  noteCopiesSeen,
  openReceipts,
  readCopyRecords,
  readReceipts,
  rekeyCopyRecord,
  trimCopyRecords,
} from '@passport/queue/copies';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const DAY_MS = 24 * 3_600_000;
const NOON = Date.UTC(2026, 10, 25, 12);

let scans = 0;
type Change = { readonly [K in keyof DisclosureReceipt]?: DisclosureReceipt[K] | undefined };
function append(change: Change = {}, nowMs = NOON): Promise<string | null> {
  scans += 1;
  const receipt = {
    at: new Date(nowMs).toISOString(),
    home: 'midland',
    lending: 'riverside',
    homeKey: 'midland:812',
    fields: ['surname', 'email'],
    eventId: `evt_${scans}`,
    patronId: 402,
    ...change,
  } as DisclosureReceipt;
  return openReceipts(fixture.redis).append(receipt, nowMs, 400 * DAY_MS);
}

const recordOf = async (patronId: number, lending = 'riverside') =>
  (await readCopyRecords(fixture.redis, lending, [patronId])).get(patronId) ?? null;

const times = { madeMs: NOON, passedMs: NOON, overridden: null };
const made = { homeKey: 'midland:812', formerKeys: [], fields: ['surname', 'email'], agreed: null, ...times };
const consent = { text_id: 'v1', operator: 51, at: '2026-11-25T11:59:00.000Z' };

describe('the record of a copy', () => {
  test('begins with the receipt that has its number, at its own library', async () => {
    await append();
    await append({ lending: 'lakeside', patronId: 7 });

    expect(await recordOf(402)).toEqual(made);
    expect(await recordOf(7)).toBeNull();
    expect(await recordOf(7, 'lakeside')).toEqual(made);
    expect(await recordOf(402, 'lakeside')).toBeNull();
  });

  test('is not made by a receipt without a number, by one of a record that was only read, or by new values', async () => {
    await append({ eventId: 'evt_lost', patronId: undefined });
    await append({ what: 'observed', fields: [], read: ['surname'] });
    await append({ what: 'refreshed', patronId: 403, fields: ['phone'] });
    expect(await fixture.redis.hlen('{passport}:copies:riverside')).toBe(0);

    await append({ eventId: 'evt_lost' });

    expect(await recordOf(402)).toEqual(made);
    const receipts: DisclosureReceipt[] = [];
    for await (const each of readReceipts(fixture.redis)) receipts.push(each);
    expect(receipts).toHaveLength(3);
  });

  test('names all fields that were passed on, and no other patron for a number that it has', async () => {
    await append();
    await append({ what: 'refreshed', fields: ['email', 'phone'] });
    await append({ what: 'refreshed', fields: ['address'], homeKey: 'midland:2' });

    expect(await recordOf(402)).toEqual({ ...made, fields: ['surname', 'email', 'phone'] });
  });

  test('has what staff have overridden, which new values do not change, and another patron does not inherit', async () => {
    const override = { reasons: ['UNDER_AGE', 'DEBT_OVER_LIMIT'], because: 'DOCUMENT_SEEN', operator: 5 };
    const until = new Date(NOON + DAY_MS).toISOString();
    await append({ override: { ...override, at: new Date(NOON).toISOString(), until } });
    await append({ what: 'refreshed', fields: ['phone'], eventId: 'sweep_1' });
    expect((await recordOf(402))?.overridden).toEqual({
      reasons: ['UNDER_AGE', 'DEBT_OVER_LIMIT'],
      untilMs: NOON + DAY_MS,
    });
    await append({ homeKey: 'midland:813', eventId: 'evt_2' });
    expect((await recordOf(402))?.overridden).toBeNull();
  });

  test('names what the patron agreed to, which new values do not widen', async () => {
    await append({ consent });
    await append({ what: 'refreshed', fields: ['phone'] });

    const agreed = ['surname', 'email'];
    expect(await recordOf(402)).toEqual({ ...made, fields: [...agreed, 'phone'], agreed });
  });

  test.each(['deleted', 'released'] as const)(
    'ends when it is %s, and with no other patron’s',
    async (what) => {
      await append();
      await append({ what, fields: [], homeKey: 'midland:2' });
      expect(await recordOf(402)).toEqual(made);

      await append({ what, fields: [] });

      expect(await recordOf(402)).toBeNull();
    },
  );

  test('does not come back when the receipt of a copy that was deleted is written again', async () => {
    await append({ eventId: 'evt_again' });
    await append({ what: 'deleted', fields: [] });

    await append({ eventId: 'evt_again' });

    expect(await recordOf(402)).toBeNull();
  });

  test('follows a patron whose number at home has changed, from the number that it has and from no other', async () => {
    await append({ consent });
    const rekey = (from: string, to: string) =>
      rekeyCopyRecord(fixture.redis, 'riverside', { patronId: 402, from, to });

    expect(await rekey('midland:999', 'midland:2')).toBe(false);
    expect((await recordOf(402))?.homeKey).toBe('midland:812');
    for (let number = 812; number < 819; number += 1) {
      expect(await rekey(`midland:${number}`, `midland:${number + 1}`)).toBe(true);
    }

    const formerKeys = [814, 815, 816, 817, 818].map((number) => `midland:${number}`);
    const agreed = ['surname', 'email'];
    expect(await recordOf(402)).toEqual({ ...made, homeKey: 'midland:819', formerKeys, agreed });
    expect(await rekeyCopyRecord(fixture.redis, 'riverside', { patronId: 5, from: 'a:1', to: 'a:2' })).toBe(
      false,
    );
  });

  test('is forgotten with an erasure, for all copies of the patron there and for nobody else', async () => {
    await append();
    await append({ patronId: 403 });
    await append({ patronId: 404, homeKey: 'midland:81' });

    const patronIds = await findCopyRecords(fixture.redis, 'riverside', 'midland:812');
    expect(new Set(patronIds)).toEqual(new Set([402, 403]));
    await append({ patronId: 405 });
    const homeKey = 'midland:812';
    expect(
      await dropCopyRecords(fixture.redis, 'riverside', { homeKey, patronIds: [...patronIds, 404] }),
    ).toBe(2);

    expect(await recordOf(403)).toBeNull();
    expect(await fixture.redis.hlen('{passport}:copies:riverside')).toBe(2);
  });

  test('is forgotten when the copy was not seen for so long', async () => {
    await append();
    await append({ patronId: 403 });
    await noteCopiesSeen(fixture.redis, 'riverside', [402, 999], NOON + 40 * DAY_MS);

    await trimCopyRecords(fixture.redis, ['riverside'], NOON + DAY_MS);

    expect(await recordOf(402)).toEqual(made);
    expect(await recordOf(403)).toBeNull();
    expect(await recordOf(999)).toBeNull();
  });
});

describe('a copy on record is found by its home key', () => {
  const homes = (lending = 'riverside') => fixture.redis.hgetall(`{passport}:copies-home:${lending}`);

  test('at its own library, until it is deleted', async () => {
    await append();
    await append({ lending: 'lakeside', patronId: 7 });
    await append({ what: 'refreshed', fields: ['phone'] });
    expect(await homes()).toEqual({ 'midland:812': '402' });
    expect(await homes('lakeside')).toEqual({ 'midland:812': '7' });

    await append({ what: 'deleted', fields: [] });

    expect(await homes()).toEqual({});
    expect(await homes('lakeside')).toEqual({ 'midland:812': '7' });
  });

  test('by the new one alone when it has changed, and when its number is another patron’s', async () => {
    await append();
    const changed = { patronId: 402, from: 'midland:812', to: 'midland:2' };
    await rekeyCopyRecord(fixture.redis, 'riverside', changed);
    expect(await homes()).toEqual({ 'midland:2': '402' });

    await append({ homeKey: 'midland:3' });

    expect(await homes()).toEqual({ 'midland:3': '402' });
  });

  test('as the later one of two, and no more once that is gone', async () => {
    await append();
    await append({ patronId: 403 });
    await append({ what: 'deleted', fields: [], patronId: 402 });
    expect(await homes()).toEqual({ 'midland:812': '403' });

    await append({ what: 'deleted', fields: [], patronId: 403 });

    expect(await homes()).toEqual({});
  });

  test('no more when its record is erased, or was not seen for so long', async () => {
    await append();
    await append({ patronId: 403, homeKey: 'midland:2' });
    await dropCopyRecords(fixture.redis, 'riverside', { homeKey: 'midland:812', patronIds: [402] });
    expect(await homes()).toEqual({ 'midland:2': '403' });

    await trimCopyRecords(fixture.redis, ['riverside'], NOON + DAY_MS);

    expect(await homes()).toEqual({});
  });
});

test.each(['refreshed', 'deleted', 'released'] as const)(
  'a scan that a library gave the id of a later event keeps no receipt of what is %s from being written',
  async (what) => {
    const eventId = 'sweep-riverside-1795917600000';
    await append({ eventId });

    expect(await append({ eventId, what, fields: what === 'refreshed' ? ['email'] : [] })).not.toBeNull();

    expect((await recordOf(402)) === null).toBe(what !== 'refreshed');
  },
);

test('a receipt is taken back of what did not leave', async () => {
  const receipt = {
    at: new Date(NOON).toISOString(),
    home: 'midland',
    lending: 'riverside',
    homeKey: 'midland:812',
    fields: ['phone'],
    eventId: 'sweep_1',
    patronId: 402,
    what: 'refreshed' as const,
  };
  const receipts = openReceipts(fixture.redis);
  const id = await receipts.append(receipt, NOON, 400 * DAY_MS);
  expect(await receipts.append(receipt, NOON, 400 * DAY_MS)).toBeNull();

  await receipts.withdraw(receipt, id ?? '');

  expect((await readReceipts(fixture.redis).next()).done).toBe(true);
  expect(await receipts.append(receipt, NOON, 400 * DAY_MS)).toMatch(/^\d+-\d+$/);
});
