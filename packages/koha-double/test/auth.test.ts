import { describe, expect, test } from '@jest/globals';
import { sendRequest, requestToken, withKoha, type TestKoha } from './support/with-koha.ts';

const grant = { grant_type: 'client_credentials' };

function pairOf(koha: TestKoha): { client_id: string; client_secret: string } {
  return { client_id: koha.credentials.clientId, client_secret: koha.credentials.clientSecret };
}

describe('OAuth2 client credentials', () => {
  test('the right pair gets a Bearer token for an hour', () =>
    withKoha({}, async (koha) => {
      const reply = await requestToken(koha, { ...grant, ...pairOf(koha) });
      expect(reply).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3600 } });
    }));

  test.each([
    ['an unknown client', { client_id: 'nobody' }, 403, { error: 'unauthorized_client' }],
    ['a wrong secret', { client_secret: 'guess' }, 403, { error: 'access_denied' }],
    ['another grant type', { grant_type: 'password' }, 400, { error: 'Unimplemented grant type' }],
  ])('%s is refused', (_what, change, status, body) =>
    withKoha({}, async (koha) => {
      const reply = await requestToken(koha, { ...grant, ...pairOf(koha), ...change });
      expect(reply).toMatchObject({ status, body });
    }),
  );

  test('a JSON body has no grant type, whatever it says', () =>
    withKoha({}, async (koha) => {
      const reply = await sendRequest(`${koha.url}/api/v1/oauth/token`, 'POST', {
        body: { ...grant, ...pairOf(koha) },
      });
      expect(reply.body).toEqual({
        errors: [{ message: 'Missing property.', path: '/grant_type' }],
        status: 400,
      });
    }));

  test('a key pair in a header, which nobody here sends, is refused', () =>
    withKoha({}, async (koha) => {
      const reply = await sendRequest(`${koha.url}/api/v1/oauth/token`, 'POST', {
        body: new URLSearchParams({ ...grant, ...pairOf(koha) }),
        headers: { authorization: 'Basic YTpi' },
      });
      expect(reply.status).toBe(500);
    }));

  test('an inactive key pair is an unknown client', () =>
    withKoha({}, async (koha) => {
      const { client_id, client_secret } = pairOf(koha);
      koha.putPatron('PASSPORT-SERVICE', { api_keys: [{ client_id, secret: client_secret, active: false }] });
      expect(await requestToken(koha, { ...grant, ...pairOf(koha) })).toMatchObject({ status: 403 });
    }));

  test('with the preference off there is no such grant type', () =>
    withKoha({ settings: { RESTOAuth2ClientCredentials: false } }, async (koha) => {
      expect(await requestToken(koha, { ...grant, ...pairOf(koha) })).toMatchObject({ status: 400 });
    }));

  test('a token is refused once its hour is over, and a new one is good again', async () => {
    let nowMs = Date.parse('2026-11-25T09:00:00Z');
    await withKoha({ now: () => nowMs }, async (koha) => {
      expect(await koha.request('GET', '/api/v1/libraries')).toMatchObject({ status: 200 });
      nowMs += 3_600_001;
      const late = await koha.request('GET', '/api/v1/libraries');
      expect(late).toMatchObject({ status: 401, body: { error: 'Authentication failure.' } });
      const fresh = await requestToken(koha, { ...grant, ...pairOf(koha) });
      const { access_token } = fresh.body as { access_token: string };
      const again = await koha.request('GET', '/api/v1/libraries', {
        headers: { authorization: `Bearer ${access_token}` },
      });
      expect(again.status).toBe(200);
    });
  });

  test('a revoked token is refused', () =>
    withKoha({}, async (koha) => {
      await koha.token();
      koha.revokeTokens();
      expect(await koha.request('GET', '/api/v1/libraries')).toMatchObject({ status: 401 });
    }));
});

describe('Basic login', () => {
  const basic = (name: string, password: string): string =>
    `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const user = { userid: 'desk', password: 's3cret', permissions: ['catalogue:1'] };

  test('is off unless the preference is on', () =>
    withKoha({}, async (koha) => {
      koha.putPatron('900', user);
      const headers = { authorization: basic('desk', 's3cret') };
      const reply = await koha.request('GET', '/api/v1/libraries', { headers });
      expect(reply).toMatchObject({ status: 401, body: { error: 'Basic authentication disabled' } });
    }));

  test('a wrong password is 403, not 401', () =>
    withKoha({ settings: { RESTBasicAuth: true } }, async (koha) => {
      koha.putPatron('900', user);
      const right = await koha.request('GET', '/api/v1/libraries', {
        headers: { authorization: basic('desk', 's3cret') },
      });
      expect(right.status).toBe(200);
      for (const password of ['guess', '', 's3cret:more']) {
        const wrong = await koha.request('GET', '/api/v1/libraries', {
          headers: { authorization: basic('desk', password) },
        });
        expect(wrong).toMatchObject({
          status: 403,
          body: { error: 'Invalid password', required_permissions: null },
        });
      }
    }));
});

describe('permissions', () => {
  test('a refusal names the rule of the route', () =>
    withKoha({ settings: { permissions: ['catalogue:1'] } }, async (koha) => {
      const reply = await koha.request('POST', '/api/v1/patrons', { body: {} });
      expect(reply).toMatchObject({
        status: 403,
        body: {
          error: 'Authorization failure. Missing required permission(s).',
          required_permissions: { borrowers: 'edit_borrowers' },
        },
      });
    }));

  test('list_borrowers is enough to read from 24.11 on, and not before', async () => {
    const settings = { permissions: ['borrowers:list_borrowers'] };
    await withKoha({ release: '23.11', settings }, async (koha) => {
      expect(await koha.request('GET', '/api/v1/patrons')).toMatchObject({ status: 403 });
    });
    await withKoha({ release: '24.11', settings }, async (koha) => {
      expect(await koha.request('GET', '/api/v1/patrons')).toMatchObject({ status: 200 });
    });
  });

  test.each([
    ['24.11', ['borrowers:edit_borrowers'], 403],
    ['24.11', ['borrowers:1'], 404],
    ['25.11', ['borrowers:edit_borrowers'], 403],
    ['26.05', ['borrowers:edit_borrowers'], 404],
    ['26.05', ['superlibrarian'], 404],
  ] as const)('changing a patron on %s with %j answers %i', (release, permissions, status) =>
    withKoha({ release, settings: { permissions } }, async (koha) => {
      const body = { surname: 'X', library_id: 'MAIN', category_id: 'AD' };
      expect(await koha.request('PUT', '/api/v1/patrons/4711', { body })).toMatchObject({ status });
    }),
  );

  test('a request without a header and one without a token get the same answer', () =>
    withKoha({}, async (koha) => {
      const reply = await sendRequest(`${koha.url}/api/v1/patrons`, 'GET');
      expect(reply).toMatchObject({ status: 401, body: { error: 'Authentication failure.' } });
    }));
});

describe('the acting library', () => {
  const at = (code: string): { headers: { 'x-koha-library': string } } => ({
    headers: { 'x-koha-library': code },
  });

  test('an unknown branch is refused with 403', () =>
    withKoha({}, async (koha) => {
      const reply = await koha.request('GET', '/api/v1/libraries', at('NOWHERE'));
      expect(reply).toMatchObject({
        status: 403,
        body: { error: 'Unauthorized attempt to set library to NOWHERE', required_permissions: null },
      });
    }));

  test('under IndependentBranches only the own branch may be taken', () =>
    withKoha({ settings: { IndependentBranches: true } }, async (koha) => {
      expect(await koha.request('GET', '/api/v1/libraries', at('NORTH'))).toMatchObject({ status: 403 });
      expect(await koha.request('GET', '/api/v1/libraries', at('MAIN'))).toMatchObject({ status: 200 });
    }));
});

describe('paths that are not there', () => {
  test.each([
    ['GET', '/api/v1/nothing'],
    ['PATCH', '/api/v1/patrons/1'],
    ['DELETE', '/api/v1/patrons'],
  ])('%s %s is 404 in the shape of the validator, never 405', (method, path) =>
    withKoha({}, async (koha) => {
      expect(await koha.request(method, path)).toMatchObject({
        status: 404,
        body: { errors: [{ message: 'Not Found.', path: '/' }], status: 404 },
      });
    }),
  );
});
