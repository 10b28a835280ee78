import { expect, test } from '@jest/globals';
import {
  type BegunDeletion,
  beginDeletion,
  dropCopyRecords,
  dropDeletion,
  openReceipts,
  readDeletions,
  readReceipts,
} from '@passport/queue/copies';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const NOON = Date.UTC(2026, 10, 25, 12);
const KEEP_MS = 400 * 24 * 3_600_000;
const deletionOf = (patronId: number, eventId = 'evt_1'): BegunDeletion => ({
  patronId,
  homeKey: `midland:${patronId}`,
  eventId,
  atMs: NOON,
});
const begin = (deletion: BegunDeletion, lending = 'riverside') =>
  beginDeletion(fixture.redis, lending, deletion, KEEP_MS);
const begunAt = async (lending = 'riverside') =>
  (await readDeletions(fixture.redis, lending)).map(({ patronId }) => patronId);
/** Writes its receipt as the run does that ends it. */
const append = ({ patronId, homeKey, eventId }: BegunDeletion) => {
  const at = new Date(NOON).toISOString();
  const receipt = { at, home: 'midland', lending: 'riverside', homeKey, fields: [], eventId, patronId };
  return openReceipts(fixture.redis).append({ ...receipt, what: 'deleted' }, NOON, KEEP_MS);
};

test('a deletion is known from before the call until its receipt is written, which is once', async () => {
  expect(await begin(deletionOf(402))).toEqual({ ...deletionOf(402), isNew: true });
  await begin(deletionOf(402), 'lakeside');
  expect(await readDeletions(fixture.redis, 'riverside')).toEqual([deletionOf(402)]);

  await append(deletionOf(402));
  await append(deletionOf(402));

  expect([await begunAt(), await begunAt('lakeside')]).toEqual([[], [402]]);
  const receipts: unknown[] = [];
  for await (const each of readReceipts(fixture.redis)) receipts.push(each);
  expect(receipts).toHaveLength(1);
});

test('what an earlier run noted stays as it was', async () => {
  await begin(deletionOf(402));
  expect(await begin(deletionOf(402, 'evt_2'))).toEqual({ ...deletionOf(402), isNew: false });
});

test('a library has a hundred at most, kept as long as receipts', async () => {
  for (let id = 1; id <= 100; id += 1) await begin(deletionOf(id));

  expect(await begin(deletionOf(101))).toBeNull();
  expect(await begin(deletionOf(7, 'evt_2'))).toMatchObject({ isNew: false });
  await dropDeletion(fixture.redis, 'riverside', 7);
  expect(await begin(deletionOf(101))).toMatchObject({ isNew: true });
  const leftMs = await fixture.redis.pttl('{passport}:deletions:riverside');
  expect(Math.round(leftMs / 3_600_000)).toBe(400 * 24);
});

test('an erasure forgets those of the patron', async () => {
  await begin(deletionOf(402));
  await begin(deletionOf(403));

  await dropCopyRecords(fixture.redis, 'riverside', { homeKey: 'midland:402', patronIds: [] });

  expect(await begunAt()).toEqual([403]);
});
