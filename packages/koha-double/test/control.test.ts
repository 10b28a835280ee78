import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextIteration } from 'node:timers/promises';
import { connect } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { type ReceivedCall, startKohaDouble } from '../src/index.ts';
import { patronBody, rowOf, rowsOf } from './support/rows.ts';
import { sendRequest, withKoha, type TestKoha } from './support/with-koha.ts';

const control = (
  koha: TestKoha,
  method: string,
  path: string,
  body?: unknown,
): ReturnType<typeof sendRequest> =>
  sendRequest(`${koha.url}/_double${path}`, method, body === undefined ? {} : { body });

const failure = (reply: Promise<unknown>): Promise<string> =>
  reply.then(
    () => 'answered',
    (error: unknown) => String((error as { cause?: { code?: string } }).cause?.code ?? error),
  );

describe('rows', () => {
  test('are made and changed by card, hidden columns and attributes too', () =>
    withKoha({}, async (koha) => {
      const columns = { surname: 'X', password: 'h', debarredcomment: 'c', dateexpiry: '2030-01-01' };
      await control(koha, 'PUT', '/patrons/A%2F1', columns);
      await control(koha, 'PUT', '/patrons/a%2F1', { extended_attributes: [{ type: 'T', value: 'v' }] });
      const { patrons } = rowOf(await control(koha, 'GET', '/state?cardnumber=A%2F1'));
      expect(patrons).toMatchObject([
        {
          cardnumber: 'A/1',
          password: 'h',
          debarredcomment: 'c',
          expiry_date: '2030-01-01',
          extended_attributes: [{ type: 'T', value: 'v' }],
        },
      ]);
    }));

  test('a card can be renamed, which is what a replaced card is', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('old', { surname: 'X' });
      koha.putPatron('old', { cardnumber: 'new' });
      expect([koha.state('old').patrons.length, koha.state('new').patrons.length]).toEqual([0, 1]);
    }));

  test('items are made, checked out and checked in by barcode', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('1', {});
      await control(koha, 'PUT', '/items/39', { itype: 'DVD', checked_out_to: '1' });
      expect(koha.state()).toMatchObject({
        items: [{ external_id: '39', item_type_id: 'DVD' }],
        checkouts: [{ cardnumber: '1', external_id: '39' }],
      });
      await control(koha, 'PUT', '/items/39', { checked_out_to: null });
      expect(koha.state()).toMatchObject({ checkouts: [], old_checkouts: [{ cardnumber: '1' }] });
    }));
});

describe('over https', () => {
  const openssl = spawnSync('openssl', ['version']).status === 0;
  if (!openssl) process.stderr.write('SKIPPED: 1 test of https, no openssl\n');

  (openssl ? test : test.skip)('a double speaks with the certificate it is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'koha-double-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    spawnSync('openssl', [
      ...request,
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '3',
      '-subj',
      '/CN=koha.example',
    ]);
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    rmSync(folder, { recursive: true });
    const koha = await startKohaDouble({ library: 'midland', tls });
    try {
      expect(koha.url).toMatch(/^https:/);
      const socket = connect({
        host: '127.0.0.1',
        port: koha.port,
        ca: tls.cert,
        checkServerIdentity: () => undefined,
      });
      await once(socket, 'secureConnect');
      expect(socket.getPeerCertificate().subject.CN).toBe('koha.example');
      socket.destroy();
    } finally {
      await koha.close();
    }
  });
});

describe('the call log', () => {
  test('numbers API calls, not control calls', () =>
    withKoha({}, async (koha) => {
      const headers = { 'x-koha-library': 'NORTH' };
      await koha.request('GET', '/api/v1/patrons', { query: { cardnumber: '1' }, headers });
      await koha.request('GET', '/api/v1/nothing');
      expect(rowsOf(await control(koha, 'GET', '/calls')).slice(1)).toEqual([
        {
          n: 2,
          at: expect.any(Number),
          method: 'GET',
          path: '/api/v1/patrons',
          query: 'cardnumber=1',
          operation: 'GET /patrons',
          library: 'NORTH',
          status: 200,
          client_id: koha.credentials.clientId,
          ms: expect.any(Number),
        },
        expect.objectContaining({ n: 3, status: 404, operation: null }),
      ]);
      await control(koha, 'DELETE', '/calls');
      expect(koha.calls()).toEqual([]);
    }));
});

describe('faults', () => {
  test('hit the next calls of their operation, in order, and are then gone', () =>
    withKoha({}, async (koha) => {
      await control(koha, 'POST', '/faults', [
        { operation: 'GET /patrons', kind: 'status', times: 2, status: 429, headers: { 'retry-after': '3' } },
        { operation: 'GET /patrons', kind: 'html' },
      ]);
      expect(await koha.request('GET', '/api/v1/libraries')).toMatchObject({ status: 200 });
      const replies = [];
      for (let n = 0; n < 4; n++) replies.push(await koha.request('GET', '/api/v1/patrons'));
      expect(replies.map((reply) => reply.status)).toEqual([429, 429, 200, 200]);
      expect(replies[0]?.headers.get('retry-after')).toBe('3');
      expect(replies[2]?.body).toContain('<html>');
      expect(koha.faultsLeft()).toEqual([]);
    }));

  test('* hits whatever comes, the token and the description too', () =>
    withKoha({}, async (koha) => {
      koha.addFaults([{ operation: '*', kind: 'status', status: 503, times: 2 }]);
      expect(await sendRequest(`${koha.url}/api/v1/oauth/token`, 'POST')).toMatchObject({ status: 503 });
      expect(await sendRequest(`${koha.url}/api/v1/`, 'GET')).toMatchObject({ status: 503 });
    }));

  test('a template fits every id', () =>
    withKoha({}, async (koha) => {
      koha.addFaults([{ operation: 'GET /patrons/{patron_id}', kind: 'status', status: 502 }]);
      expect(await koha.request('GET', '/api/v1/patrons/1')).toMatchObject({ status: 502 });
    }));

  test.each([
    ['reset_before', 1],
    ['reset_after', 2],
  ] as const)('T-14 %s ends the connection; patrons afterwards: %i', (kind, patrons) =>
    withKoha({}, async (koha) => {
      await koha.token();
      koha.addFaults([{ operation: 'POST /patrons', kind }]);
      expect(await failure(koha.request('POST', '/api/v1/patrons', { body: patronBody() }))).toMatch(
        /ECONNRESET|UND_ERR/,
      );
      expect(koha.state().patrons).toHaveLength(patrons);
      expect(koha.calls().at(-1)).toMatchObject({ operation: 'POST /patrons', status: null });
    }),
  );

  test.each(['reset_before', 'reset_after', 'hang'] as const)(
    'a call that ends by %s was heard whole',
    async (kind) => {
      const calls = new EventEmitter<Record<string, [ReceivedCall]>>();
      const heard = once(calls, 'POST /patrons');
      const onCall = (call: ReceivedCall): void => void calls.emit(call.operation ?? '', call);
      await withKoha({ onCall }, async (koha) => {
        await koha.token();
        koha.addFaults([{ operation: 'POST /patrons', kind }]);
        const body = patronBody();
        const sent = failure(koha.request('POST', '/api/v1/patrons?a=1', { body }));
        expect(await heard).toMatchObject([{ path: '/api/v1/patrons', query: 'a=1', body }]);
        await koha.close();
        expect(await sent).not.toBe('answered');
      });
    },
  );

  test.each([false, true])('T-16 truncated JSON, connection cut: %s; the effect has happened', (cut) =>
    withKoha({}, async (koha) => {
      await koha.token();
      koha.addFaults([{ operation: 'POST /patrons', kind: 'truncate', cut }]);
      const reply = koha.request('POST', '/api/v1/patrons', { body: patronBody() });
      if (cut) expect(await failure(reply)).not.toBe('answered');
      else expect(typeof (await reply).body).toBe('string');
      expect(koha.state().patrons).toHaveLength(2);
    }),
  );

  test('a delay delays, a hang never answers and does not delay the end', () =>
    withKoha({}, async (koha) => {
      await koha.token();
      koha.addFaults([
        { operation: 'GET /libraries', kind: 'delay', ms: 60 },
        { operation: 'GET /libraries', kind: 'hang' },
      ]);
      await koha.request('GET', '/api/v1/libraries');
      expect(koha.calls().at(-1)?.ms).toBeGreaterThanOrEqual(55);
      const hanging = failure(koha.request('GET', '/api/v1/libraries'));
      await koha.request('GET', '/api/v1/libraries');
      await koha.close();
      expect(await hanging).not.toBe('answered');
    }));

  test('a status can come after the effect', () =>
    withKoha({}, async (koha) => {
      koha.addFaults([{ operation: 'POST /patrons', kind: 'status', status: 500, after: true }]);
      expect(await koha.request('POST', '/api/v1/patrons', { body: patronBody() })).toMatchObject({
        status: 500,
      });
      expect(koha.state().patrons).toHaveLength(2);
    }));

  test('a hang can come after the effect', () =>
    withKoha({}, async (koha) => {
      koha.addFaults([{ operation: 'POST /patrons', kind: 'hang', after: true }]);
      const hanging = failure(koha.request('POST', '/api/v1/patrons', { body: patronBody() }));
      while (koha.state().patrons.length < 2) await nextIteration();
      await koha.close();
      expect(await hanging).not.toBe('answered');
    }));

  test('what is no fault is refused with what one is', () =>
    withKoha({}, async (koha) => {
      const reply = await control(koha, 'POST', '/faults', [{ operation: 'patrons', kind: 'explode' }]);
      expect(reply).toMatchObject({ status: 400, body: { error: expect.stringContaining('reset_after') } });
    }));
});

describe('settings', () => {
  test('release, latency, preferences, tables and permissions in one change', () =>
    withKoha({}, async (koha) => {
      const change = {
        release: '25.11',
        latency_ms: 1,
        AutoEmailNewUser: true,
        preferences: { RESTdefaultPageSize: 10 },
        permissions: ['catalogue:1'],
        attribute_types: [{ code: 'ONLY' }],
      };
      expect(rowOf(await control(koha, 'PUT', '/settings', change))).toMatchObject({
        release: '25.11',
        latency_ms: 1,
        preferences: { AutoEmailNewUser: '1', RESTdefaultPageSize: '10' },
        permissions: ['catalogue:1'],
        attribute_types: [{ code: 'ONLY', unique_id: false }],
      });
    }));

  test.each([
    [{ release: '22.05' }, 'release'],
    [{ latency_ms: -1 }, 'latency_ms'],
    [{ AutoMailNewUser: true }, 'AutoMailNewUser'],
    [{ attribute_types: [{ name: 'x' }] }, 'attribute_types'],
  ])('%j is refused whole, by name', (change, name) =>
    withKoha({}, async (koha) => {
      const reply = await control(koha, 'PUT', '/settings', { plack_workers: 9, ...change });
      expect(reply).toMatchObject({ status: 400, body: { error: expect.stringContaining(name) } });
      expect(koha.settings().plack_workers).toBe(4);
    }),
  );

  test('a wrong clock shows in the Date header and in the plugin’s time', () =>
    withKoha({ settings: { clock_skew_seconds: 7200, utc_offset_minutes: 60 } }, async (koha) => {
      const reply = await koha.request('GET', '/api/v1/contrib/passport/about');
      const ahead = (Date.parse(reply.headers.get('date') ?? '') - Date.now()) / 1000;
      expect(Math.abs(ahead - 7200)).toBeLessThan(60);
      expect(rowOf(reply)['time']).toMatch(/\+01:00$/);
    }));

  test('an API that has moved answers with where it went', () =>
    withKoha({ settings: { redirect_to: 'https://elsewhere.example/' } }, async (koha) => {
      const reply = await sendRequest(`${koha.url}/api/v1/libraries?x=1`, 'GET');
      expect([reply.status, reply.headers.get('location')]).toEqual([
        302,
        'https://elsewhere.example/api/v1/libraries?x=1',
      ]);
    }));
});
