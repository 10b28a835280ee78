import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { signEvent } from '../src/plugin/sign-event.ts';
import { rowOf } from './support/rows.ts';
import { withKoha } from './support/with-koha.ts';

const base = '/api/v1/contrib/passport';
const state = (seq: number, more: object = {}): object => ({
  event_id: 'e1',
  seq,
  state: 'waiting',
  ...more,
});

describe('the plugin’s routes', () => {
  test('an outcome is kept by the highest seq', () =>
    withKoha({}, async (koha) => {
      for (const [seq, message] of [
        [2, 'two'],
        [3, 'three'],
        [1, 'one'],
      ] as const) {
        const reply = await koha.ask('PUT', `${base}/scans/e1/outcome`, { body: state(seq, { message }) });
        expect(reply).toMatchObject({ status: 204, body: undefined });
      }
      expect(await koha.ask('GET', `${base}/scans/e1`)).toMatchObject({
        status: 200,
        body: { message: 'three' },
      });
      expect(koha.state().outcomes).toMatchObject([{ event_id: 'e1', seq: 3 }]);
    }));

  test('an unknown scan is 404, another id in the body 400, a body without seq 400', () =>
    withKoha({}, async (koha) => {
      expect(await koha.ask('GET', `${base}/scans/none`)).toMatchObject({ status: 404 });
      expect(await koha.ask('PUT', `${base}/scans/e2/outcome`, { body: state(1) })).toMatchObject({
        status: 400,
      });
      const noSeq = { event_id: 'e1', state: 'done' };
      expect(await koha.ask('PUT', `${base}/scans/e1/outcome`, { body: noSeq })).toMatchObject({
        status: 400,
      });
    }));

  test('each asks for its own permission', () =>
    withKoha({ settings: { permissions: ['catalogue:1'] } }, async (koha) => {
      const body = state(1);
      const replies = await Promise.all([
        koha.ask('GET', `${base}/about`),
        koha.ask('PUT', `${base}/scans/e1/outcome`, { body }),
        koha.ask('GET', `${base}/scans/e1`),
        koha.ask('POST', `${base}/scans`, { body: { cardnumber: '1' } }),
      ]);
      const circulate = { circulate: 'circulate_remaining_permissions' };
      expect(replies.map((reply) => rowOf(reply)['required_permissions'])).toEqual([
        { borrowers: 'edit_borrowers' },
        { borrowers: 'edit_borrowers' },
        circulate,
        circulate,
      ]);
    }));

  test('about tells version, types, preferences and workers', () =>
    withKoha({ release: '25.11', settings: { plugin_version: '0.9.0', plack_workers: 2 } }, async (koha) => {
      const reply = await koha.ask('GET', `${base}/about`);
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
          },
        ]),
        preferences: expect.objectContaining({ AutoEmailNewUser: '0' }),
        plack_workers: 2,
      });
    }));

  test('a Koha without the plugin has none of them', () =>
    withKoha({ plugin: false }, async (koha) => {
      expect(await koha.ask('GET', `${base}/about`)).toMatchObject({ status: 404 });
    }));
});

describe('the sender', () => {
  test('signs the known answer of Standard Webhooks', () => {
    const signed = signEvent(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330,
      '{"test": 2432232314}',
    );
    expect(signed.headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('POST /scans sends the event of the contract and passes the answer on', async () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const seen: { request: IncomingMessage; body: string }[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      request.on('end', () => {
        seen.push({ request, body });
        response.writeHead(202, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ event_id: 'joined-1', status: 'accepted', joined: true }));
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    await withKoha({ webhook: { receiverUrl, secret } }, async (koha) => {
      const body = { cardnumber: '21234000000017', item_barcode: '39' };
      const headers = { 'x-koha-library': 'NORTH' };
      const reply = await koha.ask('POST', `${base}/scans`, { body, headers });
      expect(reply).toMatchObject({ status: 202, body: { event_id: 'joined-1', joined: true } });
    });
    receiver.close();
    const { request, body } = seen[0] ?? {};
    const {
      'webhook-id': id,
      'webhook-timestamp': at,
      'webhook-signature': signature,
    } = request?.headers ?? {};
    const expected = createHmac('sha256', Buffer.alloc(24, 7))
      .update([id, at, body].join('.'))
      .digest('base64');
    expect([request?.url, signature]).toEqual(['/webhooks/midland', `v1,${expected}`]);
    expect(JSON.parse(body ?? '')).toEqual({
      type: 'patron.not_found',
      timestamp: expect.stringMatching(/\+00:00$/),
      data: {
        cardnumber: '21234000000017',
        branch: 'NORTH',
        interface: 'staff',
        operator: 1,
        item_barcode: '39',
      },
    });
  });

  test('POST /scans is 503 when nobody listens', () =>
    withKoha({ webhook: { receiverUrl: 'http://127.0.0.1:9', secret: 'whsec_AAAA' } }, async (koha) => {
      const reply = await koha.ask('POST', `${base}/scans`, { body: { cardnumber: '1' } });
      expect(reply.status).toBe(503);
    }));
});
