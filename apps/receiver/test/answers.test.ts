import { afterEach, describe, expect, test } from '@jest/globals';
import { buildScanEvent, signedRequest, waitFor } from '@passport/testkit';
import { Webhook } from 'standardwebhooks';
import { OTHER_SECRET, SECRET, useReceiver, read, reportingLibrary } from './receiver-fixture.ts';

const receiver = useReceiver();
afterEach(async () => {
  receiver.libraries.set('riverside', reportingLibrary('riverside'));
  receiver.clock.stopping = false;
});

const request = (change: Partial<Parameters<typeof signedRequest>[0]> = {}) =>
  signedRequest({ secret: SECRET, id: 'evt_1', ...change });
const post = (init: RequestInit, library = 'riverside') =>
  read(fetch(`${receiver.url}/webhooks/${library}`, init));

function limit(change: Partial<ReturnType<typeof reportingLibrary>['limits']>): void {
  const library = reportingLibrary('riverside');
  receiver.libraries.set('riverside', { ...library, limits: { ...library.limits, ...change } });
}

describe('answers of the webhook', () => {
  test('an event is accepted once it is in the queue', async () => {
    const { status, body } = await post(request());

    expect({ status, body }).toEqual({ status: 202, body: { event_id: 'evt_1', status: 'accepted' } });
    expect(await receiver.jobs()).toMatchObject([
      { event_id: 'evt_1', library: 'riverside', branch: 'MAIN' },
    ]);
  });

  test('the same event again is a duplicate, also signed anew', async () => {
    const body = buildScanEvent();
    await post(request({ body }));

    const again = await post(request({ body, timestamp: Math.floor(Date.now() / 1000) - 100 }));

    expect(again).toMatchObject({
      status: 202,
      body: { event_id: 'evt_1', status: 'accepted', duplicate: true },
    });
    expect(await receiver.jobs()).toHaveLength(1);
  });

  test('a double scan is coalesced with the first event', async () => {
    await post(request());

    const second = await post(request({ id: 'evt_2' }));

    expect(second).toMatchObject({
      status: 202,
      body: { event_id: 'evt_1', status: 'accepted', joined: true },
    });
    expect(await receiver.jobs()).toHaveLength(1);
  });

  test('a test card is never coalesced with a scan, for nothing is written for it', async () => {
    const scan = { body: buildScanEvent({ item_barcode: null }) };
    await post(request(scan));

    const body = buildScanEvent({ interface: 'test' });
    const tried = await post(request({ id: 'evt_2', body }));
    const again = await post(request({ ...scan, id: 'evt_3' }));

    expect(tried.body).toEqual({ event_id: 'evt_2', status: 'accepted' });
    expect(again.body).toMatchObject({ event_id: 'evt_1', joined: true });
    const job = (await receiver.jobs()).find(({ event_id: id }) => id === 'evt_2');
    expect(job).toMatchObject({ interface: 'test', checkout_requested: false, encrypted_item: null });
  });

  test('two libraries may use the same webhook-id', async () => {
    await post(request());

    const other = await post(request({ secret: OTHER_SECRET }), 'lakeside');

    expect(other.body).toEqual({ event_id: 'evt_1', status: 'accepted' });
    expect(await receiver.jobs()).toHaveLength(2);
  });

  test('beyond the rate it is 429, and says in whole seconds when to come again', async () => {
    limit({ eventsPerSecond: 0.4, burst: 1 });
    await post(request({ id: 'evt_1' }));

    const refused = await post(request({ id: 'evt_2' }));

    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.headers.get('retry-after')).toBe('3');
  });

  test('beyond the backlog it is 429 too, with a code of its own', async () => {
    limit({ backlog: 1 });
    await post(request());

    const body = buildScanEvent({ cardnumber: '21234000000018' });
    const refused = await post(request({ id: 'evt_2', body }));

    expect(refused).toMatchObject({ status: 429, body: { code: 'backlog_full' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('while the process stops it is 503 on a connection that closes', async () => {
    receiver.clock.stopping = true;

    const refused = await post(request());

    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('connection')).toBe('close');
    expect(await receiver.jobs()).toEqual([]);
  });

  test.each([
    ['another path', 'POST', '/webhook/riverside'],
    ['another method', 'PUT', '/webhooks/riverside'],
    ['nothing at all', 'GET', '/'],
  ])('%s is 404 as a problem', async (_name, method, path) => {
    const answer = await read(fetch(`${receiver.url}${path}`, { method }));

    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json ;charset=utf-8',
  ])('the content type %s is right', async (type) => {
    const { headers, ...others } = request();

    expect((await post({ ...others, headers: { ...headers, 'content-type': type } })).status).toBe(202);
  });

  test.each([
    '',
    'text/json',
    'application/jsonp',
    'application/json+ld',
    'json',
    'application/json, text/plain',
  ])('the content type %p is wrong', async (type) => {
    const { headers, ...others } = request();
    const answer = await post({ ...others, headers: { ...headers, 'content-type': type } });

    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  });

  test.each(['json', 'text/plain'])('too large comes before the wrong content type %p', async (type) => {
    const { headers, ...others } = request({ body: ' '.repeat(20_000) });
    const answer = await post({ ...others, headers: { ...headers, 'content-type': type } });

    expect(answer).toMatchObject({ status: 413, body: { code: 'too_large' } });
  });

  test.each(['', ' \u3000', '9'.repeat(33), '9'.repeat(300), '2123\u00004', '2123\n4', '\u001b[31m'])(
    'T-04 %j is refused for a card',
    async (cardnumber) => {
      const refused = await post(request({ body: buildScanEvent({ cardnumber }) }));

      expect(refused).toMatchObject({ status: 422, body: { field: 'data.cardnumber' } });
    },
  );

  test('T-04 an unfit card is named by its field, never by its value', async () => {
    const body = buildScanEvent({ cardnumber: 'A Planted Name That Is Far Too Long For A Card' });

    const refused = await post(request({ body }));

    expect(refused).toMatchObject({
      status: 422,
      body: { field: 'data.cardnumber', detail: 'data.cardnumber must have 1 to 32 characters' },
    });
    expect(JSON.stringify(refused.body) + receiver.logged()).not.toContain('Planted');
  });

  test('an unknown library is answered like a bad signature', async () => {
    const bad = await post(request({ secret: OTHER_SECRET }));
    const unknown = await post(request({ secret: OTHER_SECRET }), 'nowhere');
    const odd = await post(request({ secret: OTHER_SECRET }), `x${'%20..%2F'.repeat(60)}`);

    expect([unknown.status, odd.status]).toEqual([bad.status, bad.status]);
    expect([unknown.body, odd.body]).toEqual([bad.body, bad.body]);
    const names = (headers: Headers) => [...headers.keys()];
    expect(names(unknown.headers)).toEqual(names(bad.headers));
  });

  test('an event signed with the Standard Webhooks library is accepted', async () => {
    const text = JSON.stringify(buildScanEvent());
    const now = new Date();
    const headers = {
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(SECRET).sign('msg_1', now, text),
    };

    expect(await post({ method: 'POST', headers, body: text })).toMatchObject({
      status: 202,
      body: { event_id: 'msg_1' },
    });
  });

  test('each delivery is counted under its library and its outcome; unknown names are not kept', async () => {
    receiver.counted.length = 0;
    await post(request());
    await post(request({ secret: `whsec_${Buffer.alloc(32, 'x').toString('base64')}` }), 'nowhere');
    await post({ ...request(), headers: { 'content-type': 'text/plain' } });
    await post({ ...request(), body: 'x'.repeat(20_000) }, 'nowhere');

    expect(receiver.counted).toEqual([
      'riverside accepted',
      'unknown unauthorized',
      'riverside unsupported_media_type',
      'unknown too_large',
    ]);
    await waitFor('the log line about them', () => receiver.logged().includes('too_large'));
    expect(receiver.logged()).not.toContain('nowhere');
  });
});
