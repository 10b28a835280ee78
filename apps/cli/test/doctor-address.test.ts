import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseConsortium } from '@passport/config';
import type { CertificateExpiry } from '@passport/koha-client';
import { startKohaDouble } from '@passport/koha-double';
import { leakGuard, makeTestCertificate } from '@passport/testkit';
import { checkAddress, collect } from '@passport/set-up';
import { openKoha } from '../src/connect/koha-clients.ts';
import type { Diagnosis } from './doctor-fixture.ts';
import { consortiumOf, jsonOf, passport } from './run-cli.ts';

const own = leakGuard({ beforeEach, afterEach });

const NOW = Date.parse('2026-11-25T12:00:00Z');
const DAY_MS = 86_400_000;

/** What is found at a healthy Koha whose certificate reads like this. */
async function findingsWith(certificate: CertificateExpiry) {
  const double = own(await startKohaDouble({ library: 'riverside' }));
  const env = consortiumOf([double]);
  const { libraries } = parseConsortium(env['FILE test.yaml'] ?? '', env, () => '');
  const [library] = libraries;
  if (library === undefined) throw new Error('no library');
  const koha = own(openKoha(library, { now: () => NOW }));
  const readCertificate = () => Promise.resolve(certificate);
  const examinee = {
    library,
    isHome: true,
    isLending: true,
    balances: [false],
    koha,
    libraries: [library],
    partners: [],
    now: () => NOW,
    newNonce: () => 'n'.repeat(32),
    readCertificate,
  };
  const { findings, result } = await collect(checkAddress(examinee));
  return {
    found: findings.map(({ level, problem }) => `${level}: ${problem}`),
    goesOn: result.capabilities !== null,
  };
}

test.each<[days: number, found: string[]]>([
  [365, []],
  [22, []],
  [20, ['warning: the certificate expires in 20 days']],
  [0.5, ['warning: the certificate expires in 0 days']],
])('a trusted certificate with %d days left', async (days, found) => {
  const certificate = { kind: 'trusted', validUntilMs: NOW + days * DAY_MS } as const;
  expect(await findingsWith(certificate)).toEqual({ found, goesOn: true });
});

test.each<[CertificateExpiry, string]>([
  [
    { kind: 'untrusted', reason: 'CERT_HAS_EXPIRED', validUntilMs: NOW - DAY_MS },
    'fault: the certificate has expired on 2026-11-24',
  ],
  [
    { kind: 'untrusted', reason: 'SELF_SIGNED_CERT_IN_CHAIN', validUntilMs: NOW + DAY_MS },
    'fault: the certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
  ],
  [
    { kind: 'untrusted', reason: 'ERR_TLS_CERT_ALTNAME_INVALID', validUntilMs: NOW + DAY_MS },
    'fault: the certificate is for another name than the one in koha.url (ERR_TLS_CERT_ALTNAME_INVALID)',
  ],
  [
    { kind: 'untrusted', reason: 'CERT_NOT_YET_VALID', validUntilMs: NOW + DAY_MS },
    'fault: the certificate is not valid yet (CERT_NOT_YET_VALID)',
  ],
])('a certificate that is not accepted ends the examination', async (certificate, found) => {
  expect(await findingsWith(certificate)).toEqual({ found: [found], goesOn: false });
});

const dir = await mkdtemp(join(tmpdir(), 'passport-doctor-'));
const pair = await makeTestCertificate(dir).then(
  async ({ certFile, keyFile }) => ({ cert: await readFile(certFile), key: await readFile(keyFile) }),
  () => null,
);
await rm(dir, { recursive: true });
if (pair === null)
  process.stderr.write('skipped: openssl is not on this machine, so no certificate can be made\n');

(pair === null ? test.skip : test)(
  'a self-signed certificate is reported as that, not as unreachable',
  async () => {
    const server = createServer({ ...pair }, (_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    own(server);
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { clientId: 'some-client-id', clientSecret: 'some-client-secret' };
    const ran = await passport(
      ['doctor', '--json'],
      consortiumOf([{ library: 'riverside', url, credentials }]),
    );
    const [diagnosis] = (jsonOf(ran) as Diagnosis).libraries;
    const faults = diagnosis?.findings.filter(({ level }) => level === 'fault');
    expect(faults).toEqual([
      expect.objectContaining({
        code: 'certificate',
        problem: expect.stringMatching(/not trusted \([A-Z_]+\)/),
      }),
    ]);
  },
);
