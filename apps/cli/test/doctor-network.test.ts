import { type AddressInfo, type Socket, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KohaDouble } from '@passport/koha-double';
import { leakGuard } from '@passport/testkit';
import { examine, finds, startTwoKohas } from './doctor-fixture.ts';
import { startBendingProxy, type ProxiedRequest, type Bent } from './start-bending-proxy.ts';

const own = leakGuard({ beforeEach, afterEach });

let riverside: KohaDouble;
let midland: KohaDouble;
beforeEach(async () => {
  ({ riverside, midland } = await startTwoKohas(own));
});

async function lookAt(url: string) {
  const found = await examine({ riverside: { ...riverside, url }, midland });
  const [fault] = found.libraries[0]?.findings ?? [];
  return { code: found.code, faults: found.faults, problem: fault?.problem, remedy: fault?.remedy };
}

/** A server on a free port that does `how` with each connection. */
async function startServer(how: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    how(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  own({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('an address that does not answer is named with its cause', () => {
  test('a name that no name server knows', async () => {
    expect(await lookAt('https://koha.passport-test.invalid')).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringMatching(/\(dns\): this machine cannot resolve its host name/),
      remedy: expect.stringContaining('getent hosts'),
    });
  });

  test('a port where nothing listens', async () => {
    await riverside.close();
    expect(await lookAt(riverside.url)).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringContaining('(refused): nothing listens on that port'),
    });
  });

  test('a server that hangs up', async () => {
    const address = await startServer((socket) => void socket.once('data', () => socket.destroy()));
    expect(await lookAt(`http://${address}`)).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringContaining('(reset)'),
    });
  });

  test('something else than a web server', async () => {
    const address = await startServer((socket) => void socket.end('220 mail.example.org ESMTP\r\n'));
    expect(await lookAt(`http://${address}`)).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringContaining('(protocol): it does not speak HTTP'),
    });
  });

  test('https at a port that speaks http', async () => {
    expect(await lookAt(riverside.url.replace('http:', 'https:'))).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringMatching(/\(tls\)/),
      remedy: expect.stringContaining('compare scheme and port'),
    });
  });

  test('a Koha that takes the connection and says nothing', async () => {
    riverside.addFaults([{ operation: '*', times: 99, kind: 'hang' }]);
    expect(await lookAt(riverside.url)).toMatchObject({
      faults: ['riverside unreachable'],
      problem: expect.stringContaining('(timeout_answer)'),
      remedy: expect.stringContaining('koha.timeout'),
    });
  });
});

/** Doctor's word on riverside, with its Koha bent. */
async function look(bend: (request: ProxiedRequest) => Bent | null) {
  const proxy = own(await startBendingProxy(riverside.url, bend));
  return examine({ riverside: { ...riverside, url: proxy.url }, midland });
}

describe('a Koha of another release than the service is made for', () => {
  test('that has no checkouts in its API is too old', async () => {
    const answer = await fetch(`${riverside.url}/api/v1/`);
    const description = (await answer.json()) as { paths: Record<string, unknown> };
    for (const path of Object.keys(description.paths)) {
      if (path.startsWith('/checkouts/availability')) delete description.paths[path];
    }
    const { code, faults } = await look(({ path }) =>
      path === '/' ? { status: 200, body: description } : null,
    );
    expect({ code, faults }).toEqual({ code: 1, faults: ['riverside koha_old'] });
  });

  test('that is newer is a warning', async () => {
    const token = await fetch(`${riverside.url}/api/v1/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: riverside.credentials.clientId,
        client_secret: riverside.credentials.clientSecret,
      }),
    });
    const { access_token: bearer } = (await token.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${bearer}` };
    const about = (await (
      await fetch(`${riverside.url}/api/v1/contrib/passport/about`, { headers })
    ).json()) as object;
    const { code, warnings } = await look(({ path }) =>
      path === '/contrib/passport/about'
        ? { status: 200, body: { ...about, koha_version: '26.11.00.000' } }
        : null,
    );
    expect({ code, warnings }).toEqual({ code: 0, warnings: ['riverside koha_new'] });
  });

  test('of 23.11 has no space for the long home key, and is advised to use the short one', async () => {
    riverside.putSettings({
      release: '23.11',
      ...finds('type_missing', 'fault', { name: 'PASSPORTED_ID' }),
    });
    const { faults, libraries } = await look(() => null);
    expect(faults).toEqual(['riverside attribute_type_missing PASSPORTED_ID']);
    const remedies = libraries[0]?.findings.map(({ remedy }) => remedy).join('\n');
    expect(remedies).toContain('copy.home_key_attribute: PASSPORTID');
  });
});

test('a key that was deleted while its token lives is a matter of credentials', async () => {
  // Koha finds the token, then not the key, and dies of it; a new token is refused.
  let tokens = 0;
  const { code, faults } = await look(({ path }) => {
    if (path === '/') return null;
    if (path === '/oauth/token') {
      tokens += 1;
      return tokens === 1 ? null : { status: 403, body: { error: 'unauthorized_client' } };
    }
    return { status: 500, body: { errors: [{ message: 'Internal Server Error.', path: '/' }], status: 500 } };
  });
  expect({ code, faults }).toEqual({ code: 1, faults: ['riverside credentials_refused'] });
});
