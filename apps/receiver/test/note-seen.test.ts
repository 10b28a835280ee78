import { expect, test } from '@jest/globals';
import { signedRequest } from '@passport/testkit';
import { OTHER_SECRET, SECRET, useReceiver } from './receiver-fixture.ts';

const receiver = useReceiver();

async function seen(patronId: number, id: string, library = 'riverside'): Promise<unknown> {
  const timestamp = new Date().toISOString();
  const body = JSON.stringify({ type: 'patron.seen', timestamp, data: { patron_id: patronId } });
  const secret = library === 'lakeside' ? OTHER_SECRET : SECRET;
  const answer = await fetch(`${receiver.url}/webhooks/${library}`, {
    ...signedRequest({ secret, id, body }),
  });
  return { status: answer.status, body: await answer.json() };
}
const waiting = async () => (await receiver.refreshes.getJobs()).map(({ data }) => data);

test('T-26 a copy that was scanned is queued by its number, once a day', async () => {
  const accepted = { status: 202, body: { event_id: 'seen_1', status: 'accepted' } };
  expect(await seen(812, 'seen_1')).toEqual(accepted);
  expect(await seen(812, 'seen_2')).toMatchObject({ status: 202 });
  expect(await seen(813, 'seen_3')).toMatchObject({ status: 202 });
  expect(await waiting()).toEqual(
    expect.arrayContaining([
      { library: 'riverside', patron_id: 812 },
      { library: 'riverside', patron_id: 813 },
    ]),
  );
  expect(await waiting()).toHaveLength(2);
  expect(receiver.counted).toContain('riverside seen');

  const once = (await receiver.redis.keys('*:de:*')).toSorted();
  expect(once).toEqual(['{passport}:refreshes:de:riverside.812', '{passport}:refreshes:de:riverside.813']);
  expect(await receiver.redis.pttl(once[0] ?? '')).toBeGreaterThan(23 * 3_600_000);
});

test('the answer to a library whose copies are not refreshed at scans says that they are ignored', async () => {
  const ignored = { event_id: 'seen_1', status: 'accepted', ignored: true };
  expect(await seen(812, 'seen_1', 'lakeside')).toEqual({ status: 202, body: ignored });
  expect(await waiting()).toEqual([]);
});

test('a flood of copies is left to the sweep', async () => {
  await receiver.redis.rpush('{passport}:refreshes:wait', ...Array.from({ length: 10_000 }, String));
  expect(await seen(812, 'seen_1')).toMatchObject({ body: { ignored: true } });
  expect(await receiver.redis.llen('{passport}:refreshes:wait')).toBe(10_000);
});
