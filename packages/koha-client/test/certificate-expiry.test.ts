import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { createKohaClient, readCertificateExpiry } from '../src/index.ts';

/** Made for this test only: self-signed for 127.0.0.1, trusted by nobody. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIkcjcsataow1IFYU
1Z/lpleIxXicJWIa6F2eCaevz++hRANCAASVtiOhkBzlt5Wqczc99i+F1atKvJbf
x7b0+U0wb+7TzONOPS2dWAJNhleEmW/I0m2KGXeF5UPWXovcCcvria9G
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUdZpkmKowq9g1gtWzBAJ0Kwkp5D8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJa29oYS50ZXN0MCAXDTI2MTEyNTEzMDY0NFoYDzIxMjYxMTAx
MTMwNjQ0WjAUMRIwEAYDVQQDDAlrb2hhLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASVtiOhkBzlt5Wqczc99i+F1atKvJbfx7b0+U0wb+7TzONOPS2dWAJN
hleEmW/I0m2KGXeF5UPWXovcCcvria9Go2QwYjAdBgNVHQ4EFgQUHo6k7b/RvnaH
cOopd1cECD7Z7f8wHwYDVR0jBBgwFoAUHo6k7b/RvnaHcOopd1cECD7Z7f8wDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
ICL1dkyxCWF9QdQj+qXWlX67Mi+qNKBxSWh4jESElfXQAiBasHXS/1DBMPrnb2SO
zzQBhtjca4NHccmaeaEp1LPkaw==
-----END CERTIFICATE-----`;

const nothing = (): Promise<void> => Promise.resolve();
let stop = nothing;
afterEach(async () => {
  await stop();
  stop = nothing;
});

async function listen(created: Server): Promise<string> {
  stop = () => new Promise<void>((resolve) => created.close(() => resolve()));
  await new Promise<void>((resolve) => created.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(created.address() as AddressInfo).port}`;
}

test('a certificate nobody trusts is read all the same, with the reason', async () => {
  const url = await listen(createServer({ key: KEY, cert: CERTIFICATE }));
  const expiry = await readCertificateExpiry(url, { timeoutMs: 5_000 });
  expect(expiry).toMatchObject({ kind: 'untrusted', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const validUntilMs = expiry.kind === 'untrusted' ? expiry.validUntilMs : null;
  expect(new Date(validUntilMs ?? 0).getUTCFullYear()).toBeGreaterThan(2100);
});

test('the client does not speak to a server whose certificate it cannot trust', async () => {
  const url = await listen(createServer({ key: KEY, cert: CERTIFICATE }));
  const client = createKohaClient({
    library: 'midland',
    url,
    clientId: 'x',
    clientSecret: 'x',
    timeoutMs: 5_000,
    maxInFlight: 1,
    now: () => 0,
  });
  const look = client.findByCard('1', { attributes: false, balance: false });
  await expect(look).rejects.toMatchObject({ code: 'unreachable', effect: 'none' });
  client.close();
});

test('a server without TLS, a silent one and none at all are told apart', async () => {
  expect(await readCertificateExpiry('http://127.0.0.1:1', { timeoutMs: 100 })).toEqual({ kind: 'not_tls' });
  const silent = createTcpServer((socket) => socket.on('error', () => socket.destroy()).resume());
  const url = await listen(silent);
  expect(await readCertificateExpiry(url, { timeoutMs: 100 })).toEqual({
    kind: 'unreachable',
    reason: 'TIMEOUT',
  });
  await stop();
  stop = nothing;
  expect(await readCertificateExpiry(url, { timeoutMs: 5_000 })).toEqual({
    kind: 'unreachable',
    reason: 'ECONNREFUSED',
  });
});
