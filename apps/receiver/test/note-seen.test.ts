import { beforeEach, expect, test } from '@jest/globals';
import { openReceipts, openSeenCopies } from '@passport/queue/copies';
import { signedRequest } from '@passport/testkit';
import { OTHER_SECRET, SECRET, useReceiver } from './receiver-fixture.ts';

const receiver = useReceiver();

/** Riverside has these copies of the service. */
beforeEach(async () => {
  for (const patronId of [812, 813]) {
    const of = { home: 'midland', lending: 'riverside', homeKey: `midland:${patronId}`, fields: ['email'] };
    const receipt = { ...of, at: '', eventId: `evt_${patronId}`, patronId };
    await openReceipts(receiver.redis).append(receipt, Date.now(), 1_000);
  }
});

async function seen(patronId: number, id: string, library = 'riverside'): Promise<unknown> {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: 'patron.seen', timestamp, data: { patron_id: patronId } });
  const secret = library === 'lakeside' ? OTHER_SECRET : SECRET;
  const answer = await fetch(`${receiver.url}/webhooks/${library}`, {
    ...signedRequest({ secret, id, body }),
  });
  return { status: answer.status, body: await answer.json() };
}
/** Those that a worker is given, one after the other. */
async function waiting(): Promise<unknown[]> {
  const copies = openSeenCopies(receiver.redis);
  const found: unknown[] = [];
  for (;;) {
    const copy = await copies.take();
    if (copy === null) return found;
    found.push({ library: copy.library, patron_id: copy.patron_id });
    await copies.done(copy);
  }
}
const ignored = { event_id: 'seen_1', status: 'accepted', ignored: true };

test('T-26 a copy that was scanned waits by its number, once a day', async () => {
  const accepted = { status: 202, body: { event_id: 'seen_1', status: 'accepted' } };
  expect(await seen(812, 'seen_1')).toEqual(accepted);
  expect(await seen(812, 'seen_2')).toMatchObject({ status: 202 });
  expect(await seen(813, 'seen_3')).toMatchObject({ status: 202 });
  expect(await waiting()).toEqual([
    { library: 'riverside', patron_id: 812 },
    { library: 'riverside', patron_id: 813 },
  ]);
  expect(receiver.counted).toContain('riverside seen');

  expect(await seen(812, 'seen_4')).toMatchObject({ status: 202 });
  expect(await waiting()).toEqual([]);
  const today = '{passport}:seen-today:riverside';
  expect(await receiver.redis.zrange(today, '0', '-1')).toEqual(['812', '813']);
  expect(await receiver.redis.pttl(today)).toBeGreaterThan(23 * 3_600_000);
});

test('the answer to a library whose copies are not refreshed at scans says that they are ignored', async () => {
  expect(await seen(812, 'seen_1', 'lakeside')).toEqual({ status: 202, body: ignored });
  expect(await waiting()).toEqual([]);
});

test('a number of which the service has no record is ignored, and nothing is stored of it', async () => {
  const before = (await receiver.redis.keys('*')).toSorted();
  expect(await seen(1_002, 'seen_1')).toEqual({ status: 202, body: ignored });
  const rates = '{passport}:rate:riverside';
  expect((await receiver.redis.keys('*')).filter((key) => key !== rates).toSorted()).toEqual(before);
});

test('a flood of copies is left to the sweep', async () => {
  const many = Array.from({ length: 1_000 }, (_, n) => ['0', `${n + 1_000} 0 0`]);
  await receiver.redis.zadd('{passport}:seen:riverside', ...many.flat());
  expect(await seen(812, 'seen_1')).toMatchObject({ body: { ignored: true } });
  expect(await receiver.redis.zcard('{passport}:seen:riverside')).toBe(1_000);
});
