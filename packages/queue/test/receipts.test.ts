import { describe, expect, test } from '@jest/globals';
import { type DisclosureReceipt, openReceipts, readReceipts } from '@passport/queue/copies';
import { cleanByAge } from '@passport/queue/retention';
import { useQueueFixture } from './queue-fixture.ts';

const fixture = useQueueFixture();

const YEAR_MS = 400 * 24 * 3_600_000;
const receipt = (change: Partial<DisclosureReceipt> = {}): DisclosureReceipt => ({
  at: '2026-11-25T12:00:00.000Z',
  home: 'midland',
  lending: 'riverside',
  homeKey: 'midland:812',
  fields: ['surname', 'email'],
  eventId: 'evt_1',
  ...change,
});

async function append(change: Partial<DisclosureReceipt> = {}, keepMs = YEAR_MS): Promise<void> {
  await openReceipts(fixture.redis).append(receipt(change), await fixture.redisNow(), keepMs);
}

async function readAll(): Promise<DisclosureReceipt[]> {
  const receipts: DisclosureReceipt[] = [];
  for await (const each of readReceipts(fixture.redis)) receipts.push(each);
  return receipts;
}

/** Writes a receipt of the past, as Redis would have numbered it then. */
async function appendLongAgo(agoMs: number, count = 1): Promise<void> {
  const now = await fixture.redisNow();
  const text = JSON.stringify(receipt({ eventId: 'old' }));
  const entries = Array.from({ length: count }, (_, n) =>
    fixture.redis.xadd('{passport}:receipts', `${now - agoMs}-${n + 1}`, 'receipt', text),
  );
  await Promise.all(entries);
}

describe('receipts', () => {
  test('they are read as they were written, oldest first', async () => {
    await append();
    await append({ eventId: 'evt_2', fields: [] });
    const consent = { text_id: 'v1', operator: 51, at: '2026-11-25T11:59:00.000Z' };
    await append({ eventId: 'evt_3', consent });

    expect(await readAll()).toEqual([
      receipt(),
      receipt({ eventId: 'evt_2', fields: [] }),
      receipt({ eventId: 'evt_3', consent }),
    ]);
  });

  test('an event has one for each patron, also when the step that writes it runs again', async () => {
    await append();
    await append({ at: '2026-11-25T12:00:09.000Z' });
    await append({ lending: 'lakeside' });
    await append({ homeKey: 'lakeside:5' });
    await append({ what: 'observed', fields: [], read: ['surname'] });

    expect(await readAll()).toEqual([
      receipt(),
      receipt({ lending: 'lakeside' }),
      receipt({ homeKey: 'lakeside:5' }),
      receipt({ what: 'observed', fields: [], read: ['surname'] }),
    ]);
  });

  test('fields that left later have one of their own, and none is written again', async () => {
    const later = { at: '2026-11-25T12:00:09.000Z', fields: ['surname', 'email', 'phone'] };
    const parts = [{ fields: ['surname'] }, { fields: [] }, later, { fields: ['phone', 'email'] }];
    for (const each of [...parts, ...parts]) await append(each);

    expect(await readAll()).toEqual([receipt({ fields: ['surname'] }), receipt(later)]);
  });

  test('a field is not taken for one whose name contains its own, and a mark of before knows none', async () => {
    await append({ fields: ['surname', 'other_name'] });
    await append({ fields: ['name'] });
    await fixture.redis.set('{passport}:receipts:riverside.evt_2:midland:812', '1');
    for (const eventId of ['evt_2', 'evt_2']) await append({ eventId, fields: ['email'] });

    const fields = (await readAll()).map((each) => each.fields);
    expect(fields).toEqual([['surname', 'other_name'], ['name'], ['email']]);
  });

  test('more than one page is read whole, each once', async () => {
    await Promise.all(Array.from({ length: 1_203 }, (_, n) => append({ eventId: `evt_${n}` })));

    const ids = (await readAll()).map(({ eventId }) => eventId);

    expect(ids).toHaveLength(1_203);
    expect(new Set(ids).size).toBe(1_203);
  });

  test('a page that is just full is followed by an empty one', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, n) => append({ eventId: `evt_${n}` })));

    expect(await readAll()).toHaveLength(500);
  });

  test('nothing was written, nothing is read', async () => {
    expect(await readAll()).toEqual([]);
  });

  test('those past their retention go at the next cleaning, and no others', async () => {
    await appendLongAgo(2_000);
    await append({ eventId: 'young' });

    const ages = { finishedMs: YEAR_MS, failedMs: YEAR_MS, receiptsMs: 1_000, auditMs: YEAR_MS };
    await cleanByAge(fixture.redis, fixture.queue, ages, await fixture.redisNow());

    expect((await readAll()).map(({ eventId }) => eventId)).toEqual(['young']);
  });

  test('writing one drops whole blocks of old ones, so that the book stays bounded without a timer', async () => {
    await appendLongAgo(5_000, 400);

    await append({ eventId: 'young' }, 1_000);

    const ids = (await readAll()).map(({ eventId }) => eventId);
    expect(ids.length).toBeLessThan(150);
    expect(ids.at(-1)).toBe('young');
  });
});
