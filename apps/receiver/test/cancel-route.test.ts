import { describe, expect, test } from '@jest/globals';
import { parseWebhookSecret, signDelivery } from '@passport/contract';
import { cancelledAheadKey } from '@passport/queue/keys';
import { buildScanEvent, signedRequest, startRedis } from '@passport/testkit';
import { OTHER_SECRET, SECRET, openReceiver, useReceiver, read } from './receiver-fixture.ts';

const receiver = useReceiver();

const accept = (id: string, event = buildScanEvent()) =>
  fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id, body: event }));

const BODY = JSON.stringify({ type: 'scan.cancelled', timestamp: '2026-11-25T09:00:00.000+00:00', data: {} });
interface Sent {
  readonly id?: string;
  readonly path?: string;
  readonly library?: string;
  readonly secret?: string;
  readonly body?: string;
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function cancel(change: Sent = {}, url = receiver.url) {
  const { id = 'evt_1', path = id, library = 'riverside', secret = SECRET, body = BODY } = change;
  const { method, headers } = signedRequest({
    secret,
    id,
    body,
    ...(change.timestamp === undefined ? {} : { timestamp: change.timestamp }),
  });
  const sent = { method, headers: { ...headers, ...change.headers }, body };
  return read(fetch(`${url}/webhooks/${library}/${path}/cancel`, sent));
}

const isCancelled = async (id = 'evt_1') =>
  (await receiver.server.call('HGET', `{passport}:scans:riverside.${id}`, 'progress')) === '"cancelled"';

describe('a cancel', () => {
  test('is answered with what it came to and the state, the same each time', async () => {
    await accept('evt_1');

    const first = await cancel();
    expect(first).toMatchObject({
      status: 200,
      body: {
        event_id: 'evt_1',
        result: 'NOTHING_WRITTEN',
        state: { event_id: 'evt_1', library: 'riverside', state: 'queued', outcome: null },
      },
    });
    expect((await cancel()).body).toEqual(first.body);
    expect(await isCancelled()).toBe(true);
    expect(receiver.counted.slice(-2)).toEqual(['riverside cancelled', 'riverside cancelled']);
    expect(receiver.logged()).toContain('"event":"evt_1"');
  });

  test('of an event whose checkout may be on its way is 202', async () => {
    await accept('evt_1');
    const [job] = await receiver.jobs();
    const made = { outcome: 'COPIED', reasons: [], home: 'midland', home_key: 'midland:1', patron_id: 7 };
    await receiver.server.call(
      'HSET',
      '{passport}:scans:riverside.evt_1',
      'data',
      JSON.stringify({ ...job, made: { ...made, disclosed: null, look_from_ms: 5 } }),
    );

    expect(await cancel()).toMatchObject({ status: 202, body: { result: 'PENDING' } });
  });

  test('under the id of a double scan names the first event', async () => {
    await accept('evt_1');
    await accept('evt_2');

    expect((await cancel({ id: 'evt_2' })).body).toMatchObject({ event_id: 'evt_1' });
    expect(await isCancelled()).toBe(true);
  });

  test('of an event that nobody knows is 404', async () => {
    expect(await cancel()).toMatchObject({ status: 404, body: { code: 'not_found', reason: 'not_seen' } });
  });

  test('of an event that has ended and is not kept any more is another 404: something may have been written', async () => {
    await accept('evt_1');
    const job = await receiver.queue.getJob('riverside.evt_1');
    await job?.remove();
    const record = '{passport}:idempotency:riverside.evt_1';
    const running = String(await receiver.server.call('GET', record));
    await receiver.server.call('SET', record, running.replace(' -', ' d'));
    expect(await cancel()).toMatchObject({ status: 404, body: { code: 'not_found', reason: 'not_kept' } });
  });

  test('of an event that comes later is kept: it is accepted as cancelled, with neither card nor item', async () => {
    const scan = buildScanEvent();
    expect((await cancel()).status).toBe(404);

    const accepted = await read(accept('evt_1', scan));
    expect(accepted).toMatchObject({
      status: 202,
      body: { event_id: 'evt_1', status: 'accepted', cancelled: true },
    });
    const [job] = await receiver.jobs();
    expect(job).toMatchObject({
      event_id: 'evt_1',
      encrypted_card: null,
      encrypted_item: null,
      progress: { state: 'done', outcome: 'CANCELLED', checkout: { result: 'NOT_ASKED', keys: [] } },
    });
    expect((await cancel()).body).toMatchObject({
      event_id: 'evt_1',
      result: 'NOTHING_WRITTEN',
      state: { state: 'done', outcome: 'CANCELLED' },
    });
    expect(await read(accept('evt_1', scan))).toMatchObject({ status: 202, body: { duplicate: true } });
  });

  test('of an event that comes later needs the signature of that library, for that event', async () => {
    const scan = buildScanEvent();
    await cancel({ secret: OTHER_SECRET });
    await cancel({ id: 'evt_2', path: 'evt_1' });
    await cancel({ body: '{}' });
    const { body } = await read(accept('evt_1', scan));
    expect(body).toEqual({ event_id: 'evt_1', status: 'accepted' });
  });

  test('of an event that is admitted and not queued yet is 503: it is no stranger', async () => {
    await accept('evt_1');
    await receiver.server.call('DEL', '{passport}:scans:riverside.evt_1');

    const early = await cancel();
    expect(early).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(early.headers.get('retry-after')).toBe('1');
  });

  test('of another library’s event is 404 and cancels nothing, though the id is the same', async () => {
    await accept('evt_1');

    expect(await cancel({ library: 'lakeside', secret: OTHER_SECRET })).toMatchObject({ status: 404 });
    expect(await isCancelled()).toBe(false);
  });

  test('takes from the rate of its library', async () => {
    await accept('evt_1');
    const library = receiver.libraries.get('riverside');
    if (library === undefined) throw new Error('riverside is there');
    await receiver.server.call('DEL', '{passport}:rate:riverside');
    receiver.libraries.set('riverside', {
      ...library,
      limits: { eventsPerSecond: 0.01, burst: 1, backlog: 10, remembered: 100_000 },
    });
    await cancel();
    const second = await cancel();
    receiver.libraries.set('riverside', library);

    expect(second).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  test('of an event that was never seen is promised only where it is still kept once replicas have it', async () => {
    // a failover while they are waited for
    const replicated = async () => (await receiver.server.call('DEL', cancelledAheadKey('riverside'))) === 1;
    const failing = await openReceiver({ redisUrl: receiver.server.url, replicated });
    try {
      expect(await cancel({}, failing.url)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    } finally {
      await failing.close();
    }
  });

  test('with Redis away is 503 with retry-after', async () => {
    const own = await startRedis();
    const cutOff = await openReceiver({ redisUrl: own.url });
    try {
      await own.kill();
      const away = await cancel({}, cutOff.url);
      expect(away).toMatchObject({ status: 503, body: { code: 'unavailable' } });
      expect(away.headers.get('retry-after')).toBe('1');
    } finally {
      await cutOff.close();
      await own.stop();
    }
  });
});

describe('nothing is cancelled', () => {
  const emptySignature = (): Record<string, string> => {
    const timestamp = Math.floor(Date.now() / 1000);
    const secrets = [parseWebhookSecret(SECRET)];
    return signDelivery({ secrets, id: 'evt_1', timestamp, body: Buffer.alloc(0) });
  };
  const faults: readonly (readonly [name: string, status: number, code: string, sent: () => Sent])[] = [
    ['with a signature over another id', 401, 'unauthorized', () => ({ id: 'evt_2', path: 'evt_1' })],
    ['with another library’s secret', 401, 'unauthorized', () => ({ secret: OTHER_SECRET })],
    ['with the signature of a look at its state', 401, 'unauthorized', () => ({ headers: emptySignature() })],
    [
      'with an old timestamp',
      401,
      'unauthorized',
      () => ({ timestamp: Math.floor(Date.now() / 1000) - 400 }),
    ],
    ['at an unknown library', 401, 'unauthorized', () => ({ library: 'nowhere' })],
    ['without a header', 400, 'header_malformed', () => ({ headers: { 'webhook-id': '' } })],
    ['by what is no JSON', 400, 'not_json', () => ({ body: '{' })],
    [
      'by another content type',
      415,
      'unsupported_media_type',
      () => ({ headers: { 'content-type': 'text/plain' } }),
    ],
    ['by a body that is too large', 413, 'too_large', () => ({ body: BODY + ' '.repeat(17_000) })],
    [
      'by the event itself, sent there',
      422,
      'invalid_field',
      () => ({ body: JSON.stringify(buildScanEvent()) }),
    ],
    ['without a time', 422, 'invalid_field', () => ({ body: '{"type":"scan.cancelled"}' })],
    ['by no object', 422, 'invalid_field', () => ({ body: '[]' })],
  ];

  test.each(faults)('%s: %i %s', async (_name, status, code, sent) => {
    await accept('evt_1');

    expect(await cancel(sent())).toMatchObject({ status, body: { code } });
    expect(await isCancelled()).toBe(false);
  });

  test('by a cancel that is sent as a new event: it is ignored', async () => {
    await accept('evt_1');
    const answer = await read(
      fetch(`${receiver.url}/webhooks/riverside`, signedRequest({ secret: SECRET, id: 'evt_9', body: BODY })),
    );

    expect(answer).toMatchObject({ status: 202, body: { ignored: true } });
    expect(await isCancelled()).toBe(false);
  });

  test('and the field that does not fit is named, not its value', async () => {
    await accept('evt_1');
    const { body } = await cancel({ body: JSON.stringify({ type: 'a secret', timestamp: 'x' }) });

    expect(body).toMatchObject({ field: 'type', detail: 'type must be scan.cancelled' });
  });
});
