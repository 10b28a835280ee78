import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { signEvent } from '../src/plugin/receiver.ts';
import { webhookKey, webhookSecret, type Respond } from './support/fake-receiver.ts';
import { rowOf } from './support/rows.ts';
import { sendRequest, withKoha, type TestKoha } from './support/with-koha.ts';
import { withReceiver } from './support/with-receiver.ts';

const base = '/api/v1/contrib/passport';
const state = (seq: number, more: object = {}): object => ({
  event_id: 'e1',
  seq,
  state: 'waiting',
  ...more,
});

describe('whom a route serves', () => {
  const copy = { version: 0, home_key: 'midland:8', fields: {} };
  const routes: readonly (readonly [method: string, path: string, body: object | null])[] = [
    ['GET', '/copies', null],
    ['PUT', '/copies/1', copy],
    ['PUT', '/scans/e1/outcome', state(1)],
    ['GET', '/deletions', null],
    ['GET', '/owed', null],
    ['GET', '/restrictions/home', null],
    ['DELETE', '/restrictions/home/midland/1', null],
  ];
  const query = (path: string): Record<string, string> =>
    ({ '/deletions': { patron_ids: '1' }, '/owed': { home_key_type: 'PASSPORTED_ID' } })[path] ?? {};

  test.each(routes)('%s %s: the user of the service only, by a key', (method, path, body) =>
    withKoha({}, async (koha) => {
      const as = async (settings: object, headers: Record<string, string> = {}) => {
        koha.putSettings(settings);
        const reply = await koha.request(method, base + path, {
          ...(body === null ? {} : { body }),
          query: query(path),
          headers,
        });
        return [reply.status, (reply.body as { error_code?: string } | null)?.error_code];
      };
      koha.putPatron('CLERK', { userid: 'clerk', password: 'a-password-1', permissions: ['borrowers:1'] });
      const basic = `Basic ${Buffer.from('clerk:a-password-1').toString('base64')}`;
      expect(await as({ RESTBasicAuth: '1' }, { authorization: basic })).toEqual([403, 'no_key']);
      expect(await as({ plugin_service_user: 'CLERK' })).toEqual([403, 'not_the_service']);
      expect(await as({ plugin_service_user: null })).toEqual([403, 'not_the_service']);
      expect((await as({ plugin_service_user: 'PASSPORT-SERVICE' }))[0]).not.toBe(403);
    }),
  );
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
  test('an outcome is kept by the highest seq', () =>
    withKoha({}, async (koha) => {
      const sent = [
        [2, 'two'],
        [3, 'three'],
        [1, 'one'],
      ] as const;
      for (const [seq, message] of sent) {
        const reply = await koha.request('PUT', `${base}/scans/e1/outcome`, {
          body: state(seq, { message }),
        });
        expect(reply).toMatchObject({ status: 204, body: undefined });
      }
      expect(await koha.request('GET', `${base}/scans/e1`)).toMatchObject({
        status: 200,
        body: { message: 'three' },
      });
      expect(koha.state().outcomes).toMatchObject([{ event_id: 'e1', seq: 3 }]);
    }));

  test.each([
    ['the id of another event', 'e2', state(1)],
    ['no seq', 'e1', { event_id: 'e1', state: 'done' }],
    ['a state that is none', 'e1', state(1, { state: 'happy' })],
    ['a negative seq', 'e1', state(-1)],
  ])('an outcome with %s is 400', (_what, id, body) =>
    withKoha({}, async (koha) => {
      expect(await koha.request('PUT', `${base}/scans/${id}/outcome`, { body })).toMatchObject({
        status: 400,
      });
      expect(koha.state().outcomes).toEqual([]);
    }),
  );

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'text/plain; application/json'])(
    'a body that is sent as %s is 415, whatever it holds',
    (type) =>
      withKoha({}, async (koha) => {
        const headers = { 'content-type': type };
        const card = { cardnumber: '21234000000017' };
        const scan = await koha.request('POST', `${base}/scans`, { headers, body: card });
        expect(scan).toMatchObject({ status: 415, body: { error_code: 'not_json' } });
        const reply = await koha.request('PUT', `${base}/scans/e1/outcome`, { headers, body: state(1) });
        expect(reply).toMatchObject({ status: 415 });
        expect(koha.state().outcomes).toEqual([]);
      }),
  );

  test('an unknown scan is 404', () =>
    withKoha({}, async (koha) => {
      expect(await koha.request('GET', `${base}/scans/none`)).toMatchObject({ status: 404 });
    }));

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
        attribute_types: expect.arrayContaining([
          {
            code: 'PASSPORTED_ID',
            unique_id: true,
            repeatable: false,
            mandatory: false,
            opac_display: false,
            opac_editable: false,
            staff_searchable: false,
            category_id: null,
          },
        ]),
        preferences: expect.objectContaining({ AutoEmailNewUser: '0', IndependentBranches: '0' }),
        plack_workers: 2,
      });
    }));

  test('check proves the secret, and says what became of a test event', () =>
    withReceiver(undefined, async (koha, events) => {
      const nonce = 'n'.repeat(22);
      const { body } = await koha.request('POST', `${base}/check`, { body: { nonce } });
      const proof = createHmac('sha256', webhookKey).update(`passport-proof:${nonce}`).digest('base64');
      expect(body).toMatchObject({
        library: 'midland',
        secret_from: 'page',
        proof,
        serves: { staff: true, self_check: true, sip: true, copies: true },
        delivery: { kind: 'accepted' },
      });
      expect(events.map(({ body: text }) => (JSON.parse(text) as { type: string }).type)).toEqual([
        'passport.test',
      ]);
    }));

  test.each(['short', 'evt_1.1795597200.{"type":"patron.not_found"}', 'x'.repeat(65)])(
    'check signs no nonce that could be a delivery (%s)',
    (nonce) =>
      withKoha({}, async (koha) => {
        expect(await koha.request('POST', `${base}/check`, { body: { nonce } })).toMatchObject({
          status: 400,
        });
        expect(await koha.request('POST', `${base}/check`, { body: {} })).toMatchObject({ status: 400 });
      }),
  );

  test.each([
    'owed',
    'owed?home_key_type=',
    'owed?home_key_type=PASSPORTED_ID&limit=201',
    'owed?home_key_type=PASSPORTED_ID&limit=0',
    'owed?home_key_type=PASSPORTED_ID&after=-1',
    'restrictions/MANUAL',
    'restrictions/owed?limit=201',
    'restrictions/owed?after=-1',
  ])('GET /%s does not fit', (path) =>
    withKoha({}, async (koha) => {
      expect(await koha.request('GET', `${base}/${path}`)).toMatchObject({ status: 400 });
    }),
  );

  test.each([
    ['an end that is no date', 'owed/riverside/1', { until: 'soon' }],
    ['no end', 'owed/riverside/1', {}],
    ['a comment', 'owed/riverside/1', { until: null, comment: 'A title' }],
    ['a type of staff', 'MANUAL/riverside/1', { until: null }],
    ['a library that is none', 'owed/a%20b/1', { until: null }],
  ])('a restriction with %s does not fit', (_what, path, body) =>
    withKoha({}, async (koha) => {
      expect(await koha.request('PUT', `${base}/restrictions/${path}`, { body })).toMatchObject({
        status: 400,
      });
    }),
  );

  test.each([
    ['copies?after=-1&up_to=0', '/after', '-1 < minimum(0)'],
    ['copies?up_to=-1', '/up_to', '-1 < minimum(0)'],
    ['copies?limit=201', '/limit', '201 > maximum(200)'],
    ['deletions?patron_ids=0', '/patron_ids', /^String does not match /],
    ['scans/a%20b', '/event_id', /^String does not match /],
  ])('GET /%s is refused by the plugin’s own description', (path, where, message) =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', `${base}/${path}`);
      const said = typeof message === 'string' ? message : expect.stringMatching(message);
      expect(reply).toMatchObject({
        status: 400,
        body: { errors: [{ message: said, path: where }], status: 400 },
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

  test('a Koha without the plugin has none of them', () =>
    withKoha({ plugin: false }, async (koha) => {
      expect(await koha.request('GET', `${base}/about`)).toMatchObject({ status: 404 });
    }));
});

const report = (
  koha: TestKoha,
  body: object = { cardnumber: '21234000000017' },
): ReturnType<TestKoha['request']> => koha.request('POST', `${base}/scans`, { body });

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
            item_barcode: '39',
          },
        });
      },
    ));

  test.each<[number, number, string]>([
    [422, 422, 'not_a_card'],
    [429, 503, 'receiver_busy'],
    [503, 503, 'receiver_busy'],
    [500, 503, 'receiver_unreachable'],
    [401, 502, 'receiver_refused'],
  ])('a receiver that answers %i is reported as %i %s', (theirs, ours, error_code) =>
    withReceiver(
      () => ({ status: theirs, body: {}, headers: { 'retry-after': '7' } }),
      async (koha) => {
        const reply = await report(koha);
        expect(reply).toMatchObject({ status: ours, body: { error_code } });
        expect(reply.headers.get('retry-after')).toBe(error_code === 'receiver_busy' ? '7' : null);
      },
    ),
  );

  test.each<[number, boolean]>([
    [503, true],
    [500, true],
    [429, false],
    [422, false],
    [401, false],
  ])('the event of a receiver that answers %i is named: %s', (status, isNamed) =>
    withReceiver(
      () => ({ status, body: {} }),
      async (koha, events) => {
        const named = rowOf(await report(koha))['event_id'];
        expect(named).toBe(isNamed ? events[0]?.headers['webhook-id'] : undefined);
      },
    ),
  );

  test('T-04 what is not shaped like a card is not sent', () =>
    withReceiver(undefined, async (koha, events) => {
      const cards = ['Kovač', 'Ana Kovač', '12', 'x'.repeat(33), '12\u00075678'];
      for (const cardnumber of cards) {
        expect(await report(koha, { cardnumber })).toMatchObject({ status: 422 });
      }
      expect(events).toEqual([]);
    }));

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

  test('a receiver that never answers costs half a second', () =>
    withReceiver(
      () => null,
      async (koha) => {
        await koha.token();
        const startedAt = Date.now();
        expect(await report(koha)).toMatchObject({
          status: 503,
          body: { error_code: 'receiver_unreachable', event_id: expect.any(String) },
        });
        expect(Date.now() - startedAt).toBeLessThan(900);
      },
    ));

  test('without a receiver it is not configured', () =>
    withKoha({}, async (koha) => {
      expect(await report(koha)).toMatchObject({ status: 503, body: { error_code: 'not_configured' } });
    }));

  describe('of a card that the hook has just reported', () => {
    const card = '21234000000017';
    const numbered = (): Respond => {
      let count = 0;
      return () => ({ status: 202, body: { event_id: `e${(count += 1)}`, status: 'accepted' } });
    };
    const scan = (koha: TestKoha): Promise<unknown> =>
      sendRequest(`${koha.url}/cgi-bin/koha/circ/circulation.pl?findborrower=${card}`, 'GET');

    test('hands on that event once, whatever became of it; who tries again gets a new one', () =>
      withReceiver(numbered(), async (koha, events) => {
        await scan(koha);
        const done = state(2, { state: 'done', outcome: 'NOT_FOUND' });
        await koha.request('PUT', `${base}/scans/e1/outcome`, { body: done });
        const handed = await report(koha, { cardnumber: ` ${card} ` });
        expect(handed).toMatchObject({
          status: 202,
          body: { event_id: 'e1', status: 'accepted', joined: true },
        });
        expect(events).toHaveLength(1);
        expect((await report(koha)).body).toEqual({ event_id: 'e2', status: 'accepted' });
      }));

    test('sends a card with an item, another card, and one of more than ten seconds ago', () => {
      let nowMs = Date.parse('2026-11-25T09:00:00Z');
      return withReceiver(
        numbered(),
        async (koha) => {
          await scan(koha);
          const bodies = [
            { cardnumber: card, item_barcode: '39' },
            { cardnumber: '21234000000018' },
            { cardnumber: card },
          ];
          const replies = [];
          for (const body of bodies) {
            if (body === bodies[2]) nowMs += 10_001;
            replies.push((await report(koha, body)).body);
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
