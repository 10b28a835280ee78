import { describe, expect, test } from '@jest/globals';
import {
  type FoundCopy,
  dropCopyRecords,
  keepFindings,
  noteFindings,
  openReceipts,
  pruneFindings,
  readFindings,
} from '@passport/queue/copies';
import { findingsKey } from '@passport/queue/keys';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();
const NOON = Date.UTC(2026, 10, 25, 12);
const DAY_MS = 24 * 3_600_000;

const copyOf = (patronId: number, open: FoundCopy['open']): FoundCopy => ({
  patronId,
  homeKey: `midland:${patronId + 100}`,
  open,
});
const note = (copies: readonly FoundCopy[], nowMs = NOON) =>
  noteFindings(fixture.redis, 'riverside', copies, nowMs);
const open = async () =>
  (await readFindings(fixture.redis, 'riverside')).map(
    ({ patronId, finding, sinceMs, isKept }) =>
      `${patronId} ${finding} ${(sinceMs - NOON) / DAY_MS}${isKept ? ' kept' : ''}`,
  );

describe('what is open of copies', () => {
  test('keeps its time at each further look, and goes when it is not found any more', async () => {
    await note([copyOf(1, ['HOME_GONE']), copyOf(2, ['HOME_RESTRICTED', 'HOME_EXPIRED']), copyOf(3, [])]);
    const before = await fixture.redis.hgetall(findingsKey('riverside'));
    await note([copyOf(1, ['HOME_GONE']), copyOf(2, ['HOME_RESTRICTED', 'HOME_EXPIRED']), copyOf(3, [])]);
    expect(await fixture.redis.hgetall(findingsKey('riverside'))).toEqual(before);
    await note([copyOf(1, ['HOME_GONE']), copyOf(2, ['HOME_EXPIRED', 'NOT_SHARED'])], NOON + DAY_MS);
    expect(await open()).toEqual(['2 NOT_SHARED 1', '1 HOME_GONE 0', '2 HOME_EXPIRED 0']);
    await note([copyOf(1, []), copyOf(2, null)], NOON + 2 * DAY_MS);
    expect(await open()).toEqual(['2 NOT_SHARED 1', '2 HOME_EXPIRED 0']);
    expect(await fixture.redis.ttl(findingsKey('riverside'))).toBeGreaterThan(59 * 24 * 3600);
  });

  test('of another patron is another one, and stays for nobody who is not seen', async () => {
    await note([copyOf(1, ['HOME_GONE']), copyOf(2, ['HOME_GONE'])]);
    await note([{ ...copyOf(1, ['HOME_GONE']), homeKey: 'midland:9' }], NOON + DAY_MS);
    await note([{ ...copyOf(2, null), homeKey: 'midland:9' }], NOON + DAY_MS);
    expect(await open()).toEqual(['1 HOME_GONE 1']);
    await note([copyOf(3, ['HOME_GONE'])], NOON);
    await note([{ patronId: 4, homeKey: 'lakeside:4', open: ['HOME_GONE'] }], NOON);
    const beforeMs = NOON + DAY_MS;
    await pruneFindings(fixture.redis, 'riverside', { isOf: (home) => home === 'midland', beforeMs });
    expect(await open()).toEqual(['1 HOME_GONE 1', '4 HOME_GONE 0']);
  });

  test('is kept as it is where somebody says so, until it is another one', async () => {
    await note([copyOf(10, ['HOME_RESTRICTED'])]);
    expect(await keepFindings(fixture.redis, 'riverside', [10, 11])).toEqual([10]);
    await note([copyOf(10, ['HOME_RESTRICTED', 'HOME_EXPIRED'])], NOON + DAY_MS);
    expect(await open()).toEqual(['10 HOME_EXPIRED 1', '10 HOME_RESTRICTED 0 kept']);
    await note([copyOf(10, ['HOME_EXPIRED'])], NOON + 2 * DAY_MS);
    await note([copyOf(10, ['HOME_RESTRICTED'])], NOON + 3 * DAY_MS);
    expect(await open()).toEqual(['10 HOME_RESTRICTED 3']);
  });

  test('ends with the copy, and with what is erased of it', async () => {
    await note([copyOf(1, ['HOME_GONE']), copyOf(2, ['HOME_GONE']), copyOf(3, ['HOME_GONE'])]);
    const receipt = { at: new Date(NOON).toISOString(), home: 'midland', lending: 'riverside', fields: [] };
    const append = (patronId: number, what: 'refreshed' | 'deleted') =>
      openReceipts(fixture.redis).append(
        { ...receipt, homeKey: `midland:${patronId + 100}`, eventId: 'evt_1', patronId, what },
        NOON,
        DAY_MS,
      );
    await append(1, 'deleted');
    await append(2, 'refreshed');
    expect(await open()).toEqual(['2 HOME_GONE 0', '3 HOME_GONE 0']);
    await dropCopyRecords(fixture.redis, 'riverside', { homeKey: 'midland:103', patronIds: [3] });
    expect(await open()).toEqual(['2 HOME_GONE 0']);
  });

  test('is of 10,000 copies of a library at most', async () => {
    const all = Array.from({ length: 10_050 }, (_, index) => copyOf(index + 1, ['HOME_GONE']));
    await note(all);
    expect(await open()).toHaveLength(10_000);
    await note([copyOf(5, ['NOT_SHARED'])]);
    expect((await open()).filter((line) => line.startsWith('5 '))).toEqual(['5 NOT_SHARED 0']);
  });
});
