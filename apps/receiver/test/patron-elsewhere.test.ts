import { beforeEach, expect, test } from '@jest/globals';
import { patronElsewhereSchema } from '@passport/contract';
import { openReceipts } from '@passport/queue/copies';
import { writeOwed } from '@passport/queue/sweeps';
import { signedRequest } from '@passport/testkit';
import { OTHER_SECRET, SECRET, read, useReceiver } from './receiver-fixture.ts';
import { STATUS_CONSORTIUM } from './status-libraries.ts';

const receiver = useReceiver({ consortium: STATUS_CONSORTIUM });
const DAY_MS = 86_400_000;
const MADE = Date.parse('2026-11-01T10:00:00.000Z');

let ids = 0;
function look(
  data: unknown,
  { library = 'riverside', secret = SECRET, type = 'patron.elsewhere_requested' } = {},
) {
  const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data });
  ids += 1;
  const { method, headers } = signedRequest({ secret, id: `look_${ids}`, body });
  return read(fetch(`${receiver.url}/webhooks/${library}/service/elsewhere`, { method, headers, body }));
}

beforeEach(async () => {
  await receiver.redis.flushall();
  const receipts = openReceipts(receiver.redis);
  const copy = { home: 'riverside', lending: 'lakeside', homeKey: 'riverside:812', patronId: 4711 };
  const base = { ...copy, at: new Date(MADE).toISOString() };
  await receipts.append({ ...base, fields: ['surname', 'email'], eventId: 'evt_1' }, MADE, 400 * DAY_MS);
  const later = MADE + DAY_MS;
  const refreshed = { ...base, fields: ['phone'], eventId: 'sweep_1', what: 'refreshed' } as const;
  await receipts.append(refreshed, later, 400 * DAY_MS);
  const row = { overdues: 2, amount: 350, over_since_ms: null, restricted: false };
  const reading = { read_ms: later, rows: { 'riverside:812': row }, unconfirmed: 0 };
  await writeOwed(receiver.redis, 'lakeside', new Map([['riverside', reading]]));
});

test('a home library learns where its patron has a copy, which fields went there, and what is owed', async () => {
  const { status, body } = await look({ patron_id: 812 });
  expect(status).toBe(200);
  expect(patronElsewhereSchema.parse(body)).toEqual({
    patron_id: 812,
    copies: [
      {
        library: { id: 'lakeside', name: 'The library lakeside' },
        since: '2026-11-01T10:00:00.000Z',
        last_passed_on: '2026-11-02T10:00:00.000Z',
        fields: ['email', 'phone', 'surname'],
        owed: { overdues: 2, amount: 350, read_at: '2026-11-02T10:00:00.000Z' },
      },
    ],
  });
  expect(JSON.stringify(body)).not.toContain('4711');
});

test("it learns nothing of another number, nor of another library's patron with this one", async () => {
  expect((await look({ patron_id: 813 })).body).toEqual({ patron_id: 813, copies: [] });
  const { status, body } = await look({ patron_id: 812 }, { library: 'lakeside', secret: OTHER_SECRET });
  expect([status, body]).toEqual([200, { patron_id: 812, copies: [] }]);
});

test('a copy that was deleted is no longer there', async () => {
  const ended = { home: 'riverside', lending: 'lakeside', homeKey: 'riverside:812', patronId: 4711 } as const;
  const receipt = { ...ended, at: '', fields: [], eventId: 'purge_1', what: 'deleted' } as const;
  await openReceipts(receiver.redis).append(receipt, MADE + 2 * DAY_MS, 400 * DAY_MS);
  expect((await look({ patron_id: 812 })).body).toEqual({ patron_id: 812, copies: [] });
});

test.each([
  ['the secret of another library', { patron_id: 812 }, { secret: OTHER_SECRET }, 401],
  ['the type of another request', { patron_id: 812 }, { type: 'library.status_requested' }, 422],
  ['a number as text', { patron_id: '812' }, {}, 422],
  ['no number', {}, {}, 422],
  ['a number that none can be', { patron_id: 0 }, {}, 422],
])('%s is refused', async (_what, data, change, expected) => {
  expect((await look(data, change)).status).toBe(expected);
});
