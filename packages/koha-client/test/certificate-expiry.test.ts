import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { createKohaClient, readCertificateExpiry } from '../src/index.ts';
import { SELF_SIGNED } from './planted-certificates.ts';

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
  const url = await listen(createServer(SELF_SIGNED));
  const expiry = await readCertificateExpiry(url, { timeoutMs: 5_000 });
  expect(expiry).toMatchObject({ kind: 'untrusted', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const validUntilMs = expiry.kind === 'untrusted' ? expiry.validUntilMs : null;
  expect(new Date(validUntilMs ?? 0).getUTCFullYear()).toBeGreaterThan(2100);
});

test('the client does not speak to a server whose certificate it cannot trust', async () => {
  const url = await listen(createServer(SELF_SIGNED));
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

test('a server without TLS, a silent one and none at all are distinguished', async () => {
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
