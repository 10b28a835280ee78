import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { signEvent } from '../src/plugin/receiver.ts';
import { webhookKey, webhookSecret, type Respond } from './support/fake-receiver.ts';
import { rowOf } from './support/rows.ts';
import { requestToken, sendRequest, withKoha, type TestKoha } from './support/with-koha.ts';
import { withReceiver } from './support/with-receiver.ts';

const base = '/api/v1/contrib/passport';
const state = (seq: number, more: object = {}): object => ({
  event_id: 'e1',
  seq,
  state: 'waiting',
  ...more,
});

describe('a scan of a copy', () => {
  const card = '21234000000017';
  const page = (koha: TestKoha, path: string): Promise<unknown> =>
    sendRequest(`${koha.url}/cgi-bin/koha/${path}`, 'GET');
  const atDesk = (koha: TestKoha) => page(koha, `circ/circulation.pl?findborrower=${card}`);
  const copy = (koha: TestKoha): number => {
    const { patron_id: patronId } = koha.putPatron(card, { surname: 'Okafor' });
    koha.putCopy({ patron_id: patronId, version: 0, home_key: 'midland:8', fields: {} });
    return patronId;
  };

  /** The page is there before the event is. */
  const untilThere = async (events: readonly unknown[], count: number): Promise<void> => {
    for (let tries = 0; events.length < count && tries < 200; tries += 1) await sleep(10);
    expect(events).toHaveLength(count);
  };

  test('T-26 is reported beside the page by its number alone, once a day', () => {
    let nowMs = Date.parse('2026-11-25T09:00:00Z');
    return withReceiver(
      undefined,
      async (koha, events) => {
        const patronId = copy(koha);
        for (let scans = 0; scans < 2; scans += 1) await atDesk(koha);
        await untilThere(events, 1);
        expect(JSON.parse(events[0]?.body ?? '')).toEqual({
          type: 'patron.seen',
          timestamp: '2026-11-25T09:00:00.000+00:00',
          data: { patron_id: patronId },
        });
        nowMs += 24 * 3_600_000;
        await atDesk(koha);
        await untilThere(events, 2);
      },
      () => nowMs,
    );
  });

  test('is not reported where the service stored its row today, nor is one of an own patron', () =>
    withReceiver(undefined, async (koha, events) => {
      const { patron_id: patronId } = koha.putPatron(card, { surname: 'Okafor' });
      await atDesk(koha);
      const body = { version: 0, home_key: 'midland:8', fields: {} };
      expect(await koha.request('PUT', `${base}/copies/${patronId}`, { body })).toMatchObject({
        status: 200,
      });
      await atDesk(koha);
      await atDesk(koha);
      expect(events).toEqual([]);
    }));
});

describe('the plugin’s routes', () => {
  test('each requires its own permission', () =>
    withKoha({ settings: { permissions: ['catalogue:1'] } }, async (koha) => {
      const body = state(1);
      const replies = await Promise.all([
        koha.request('GET', `${base}/about`),
        koha.request('PUT', `${base}/scans/e1/outcome`, { body }),
        koha.request('GET', `${base}/scans/e1`),
        koha.request('POST', `${base}/scans`, { body: { cardnumber: '1' } }),
        koha.request('GET', `${base}/desk.js`),
        koha.request('GET', `${base}/owed?home_key_type=PASSPORTED_ID`),
        koha.request('GET', `${base}/restrictions/owed`),
        koha.request('PUT', `${base}/restrictions/owed/riverside/1`, { body: { until: null } }),
        koha.request('DELETE', `${base}/restrictions/owed/riverside/1`),
        koha.request('POST', `${base}/check`, { body: { nonce: 'n'.repeat(22) } }),
      ]);
      const circulate = { circulate: 'circulate_remaining_permissions' };
      const edit = { borrowers: 'edit_borrowers' };
      expect(replies.map((reply) => rowOf(reply)['required_permissions'])).toEqual([
        edit,
        edit,
        circulate,
        circulate,
        circulate,
        edit,
        edit,
        edit,
        edit,
        edit,
      ]);
    }));

  test('about reports version, types, preferences and workers', () =>
    withKoha({ release: '25.11', settings: { plugin_version: '0.9.0', plack_workers: 2 } }, async (koha) => {
      const reply = await koha.request('GET', `${base}/about`);
      expect(reply.body).toMatchObject({
        version: '0.9.0',
        koha_version: expect.stringMatching(/^25\.11\./),
        attribute_types: expect.arrayContaining([{ code: 'PASSPORTED_ID' }]),
        preferences: expect.objectContaining({ AutoEmailNewUser: '0', IndependentBranches: '0' }),
        plack_workers: 2,
      });
    }));

  test('check proves the secret, and finds what a test has it find', () =>
    withReceiver(undefined, async (koha) => {
      const nonce = 'n'.repeat(22);
      const found = [{ finding: 'plack_few', level: 'warning', name: null, figure: 1 }];
      koha.putSettings({ plugin_findings: found });
      const { body } = await koha.request('POST', `${base}/check`, { body: { nonce } });
      const proof = createHmac('sha256', webhookKey).update(`passport-proof:${nonce}`).digest('base64');
      expect(body).toMatchObject({
        library: 'midland',
        secret_from: 'page',
        proof,
        serves: { staff: true, self_check: true, sip: false, copies: true },
        findings: found,
      });
    }));

  test('check connects a library that waits, by the key that it sealed alone, and revokes others of the plugin', () =>
    withKoha({}, async (koha) => {
      const { clientId, clientSecret } = koha.credentials;
      const keys = [
        { client_id: clientId, secret: clientSecret, description: 'Patron Passport' },
        { client_id: 'sealed', secret: 'sealed-secret', description: 'Patron Passport' },
        { client_id: 'theirs', secret: 'their-secret', description: 'Another program' },
      ];
      const { patron_id } = koha.putPatron('PASSPORT-SERVICE', { api_keys: keys });
      const webhook = {
        receiver_url: 'https://passport.example',
        library: 'midland',
        secret: webhookSecret,
        patterns: [],
        staff_wait_ms: 0,
        self_check_wait_ms: 0,
      };
      const more = { join_waiting: '1', join: JSON.stringify({ patron_id, client_id: 'sealed' }) };
      koha.putSettings({ webhook: null, plugin_waiting: { ...webhook, more } });
      const tokens = async () => {
        const replies = await Promise.all(
          keys.map(({ client_id, secret }) =>
            requestToken(koha, { grant_type: 'client_credentials', client_id, client_secret: secret }),
          ),
        );
        return replies.map((reply) => rowOf(reply)['access_token'] ?? reply.status);
      };
      const [ours, sealed, theirs] = await tokens();
      const check = (token: unknown) =>
        koha.request('POST', `${base}/check`, {
          body: { nonce: 'n'.repeat(22) },
          headers: { authorization: `Bearer ${String(token)}` },
        });
      expect((await check(ours)).status).toBe(200);
      expect(koha.settings().webhook).toBeNull();
      expect((await check(sealed)).status).toBe(200);
      expect(koha.settings().webhook).toMatchObject({ library: 'midland' });
      expect(await Promise.all([ours, theirs].map(async (token) => (await check(token)).status))).toEqual([
        401, 200,
      ]);
      expect(await tokens()).toEqual([403, expect.any(String), expect.any(String)]);
    }));

  test.each([
    ['copies?after=-1&up_to=0', '/after', '-1 < minimum(0)'],
    ['copies?up_to=-1', '/up_to', '-1 < minimum(0)'],
    ['copies?limit=201', '/limit', '201 > maximum(200)'],
    ['deletions?patron_ids=0', '/patron_ids', /^String does not match /],
    ['scans/a%20b', '/event_id', /^String does not match /],
  ])('GET /%s is refused by the plugin’s own description', (path, where, message) =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', `${base}/${path}`);
      const actual = typeof message === 'string' ? message : expect.stringMatching(message);
      expect(reply).toMatchObject({
        status: 400,
        body: { errors: [{ message: actual, path: where }], status: 400 },
      });
    }),
  );

  test('an answer that the plugin’s own description does not allow is none', () =>
    withReceiver(
      () => ({ status: 202, body: { event_id: 'e1' } }),
      async (koha) => {
        const errors = [{ message: 'Expected string - got null.', path: '/body/status' }];
        expect(await report(koha)).toMatchObject({ status: 500, body: { errors, status: 500 } });
      },
    ));

  test('of two states with one number the end is kept', () =>
    withKoha({}, async (koha) => {
      for (const word of ['waiting', 'done', 'waiting', 'failed'])
        await koha.request('PUT', `${base}/scans/e1/outcome`, { body: state(2, { state: word }) });
      expect(rowOf(await koha.request('GET', `${base}/scans/e1`))['state']).toBe('done');
    }));

  test('a Koha without the plugin has none of them', () =>
    withKoha({ plugin: false }, async (koha) => {
      expect(await koha.request('GET', `${base}/about`)).toMatchObject({ status: 404 });
    }));
});

const report = (
  koha: TestKoha,
  body: object = { cardnumber: '21234000000017' },
  headers: Readonly<Record<string, string>> = {},
): ReturnType<TestKoha['request']> => koha.request('POST', `${base}/scans`, { body, headers });

describe('POST /scans', () => {
  test('signs the known answer of Standard Webhooks', () => {
    const signed = signEvent(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330,
      '{"test": 2432232314}',
    );
    expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('sends the event of the contract, signed, and passes the answer on', () =>
    withReceiver(
      () => ({ status: 202, body: { event_id: 'first-1', status: 'accepted', joined: true } }),
      async (koha, events) => {
        const reply = await report(koha, { cardnumber: '21234000000017', item_barcode: ' 39 ' });
        expect(reply).toMatchObject({
          status: 202,
          body: { event_id: 'first-1', status: 'accepted', joined: true },
        });
        const [event] = events;
        const {
          'webhook-id': id,
          'webhook-timestamp': at,
          'webhook-signature': signature,
        } = event?.headers ?? {};
        const signed = createHmac('sha256', webhookKey)
          .update([id, at, event?.body].join('.'))
          .digest('base64');
        expect([event?.url, signature]).toEqual(['/webhooks/midland', `v1,${signed}`]);
        expect(JSON.parse(event?.body ?? '')).toEqual({
          type: 'patron.not_found',
          timestamp: expect.stringMatching(/\+00:00$/),
          data: {
            cardnumber: '21234000000017',
            branch: 'MAIN',
            interface: 'staff',
            operator: 1,
            decides: ['HOME_CHOICE'],
            item_barcode: '39',
          },
        });
      },
    ));

  test('T-04 a pattern that fits everything still leaves 33 characters and control characters out', () =>
    withReceiver(undefined, async (koha, events) => {
      const { webhook } = koha.settings();
      koha.putSettings({
        webhook: {
          receiver_url: webhook?.receiver_url ?? '',
          secret: webhookSecret,
          library: 'midland',
          patterns: [''],
          staff_wait_ms: 0,
          self_check_wait_ms: 0,
        },
      });
      for (const cardnumber of ['x'.repeat(33), '12\u00075678']) {
        expect(await report(koha, { cardnumber })).toMatchObject({ status: 422 });
      }
      expect(await report(koha, { cardnumber: 'x'.repeat(32) })).toMatchObject({ status: 202 });
      expect(events).toHaveLength(1);
    }));

  describe('of a card that the hook has just reported', () => {
    const card = '21234000000017';
    const numbered = (): Respond => {
      let count = 0;
      return () => ({ status: 202, body: { event_id: `e${(count += 1)}`, status: 'accepted' } });
    };
    /** By what the page of the scan is known again. */
    const scan = async (koha: TestKoha): Promise<Readonly<Record<string, string>>> => {
      const url = `${koha.url}/cgi-bin/koha/circ/circulation.pl?findborrower=${card}`;
      const cookie = (await sendRequest(url, 'GET')).headers.getSetCookie().join('; ');
      const { body } = await sendRequest(url.replace(/\?.*/, ''), 'GET', { headers: { cookie } });
      const [, token = ''] = /name="csrf-token" content="([^"]*)"/.exec(String(body)) ?? [];
      return { cookie, 'csrf-token': token };
    };

    test('hands on that event once and at its desk, whatever the outcome of it; who tries again gets a new one', () =>
      withReceiver(numbered(), async (koha, events) => {
        const desk = await scan(koha);
        const done = state(2, { state: 'done', outcome: 'NOT_FOUND' });
        await koha.request('PUT', `${base}/scans/e1/outcome`, { body: done });
        expect((await report(koha)).body).toEqual({ event_id: 'e2', status: 'accepted' });
        const handed = await report(koha, { cardnumber: ` ${card} ` }, desk);
        expect(handed).toMatchObject({
          status: 202,
          body: { event_id: 'e1', status: 'accepted', joined: true },
        });
        expect(events).toHaveLength(2);
        const again = await report(koha, { cardnumber: card }, desk);
        expect(again.body).toEqual({ event_id: 'e3', status: 'accepted' });
      }));

    test('sends a card with an item, another card, and one of more than ten seconds ago', () => {
      let nowMs = Date.parse('2026-11-25T09:00:00Z');
      return withReceiver(
        numbered(),
        async (koha) => {
          const desk = await scan(koha);
          const bodies = [
            { cardnumber: card, item_barcode: '39' },
            { cardnumber: '21234000000018' },
            { cardnumber: card },
          ];
          const replies = [];
          for (const body of bodies) {
            if (body === bodies[2]) nowMs += 10_001;
            replies.push((await report(koha, body, desk)).body);
          }
          expect(replies).toEqual(['e2', 'e3', 'e4'].map((event_id) => ({ event_id, status: 'accepted' })));
        },
        () => nowMs,
      );
    });
  });

  test('the scan is queued, and the receiver is queried when there is no report for two seconds', () => {
    let nowMs = Date.parse('2026-11-25T09:00:00Z');
    return withReceiver(
      (event) =>
        event.method === 'GET'
          ? { status: 200, body: { event_id: 'e1', seq: 4, state: 'done', outcome: 'NOT_FOUND' } }
          : { status: 202, body: { event_id: 'e1', status: 'accepted' } },
      async (koha, events) => {
        await report(koha);
        expect(await koha.request('GET', `${base}/scans/e1`)).toMatchObject({
          body: { state: 'queued', seq: 0 },
        });
        nowMs += 2100;
        expect(await koha.request('GET', `${base}/scans/e1`)).toMatchObject({
          body: { outcome: 'NOT_FOUND' },
        });
        expect(events.map((event) => `${event.method} ${event.url}`)).toEqual([
          'POST /webhooks/midland',
          'GET /webhooks/midland/e1',
        ]);
        expect(events[1]?.headers['webhook-id']).toBe('e1');
      },
      () => nowMs,
    );
  });
});
