import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { joinFingerprint, type JoinInvitation } from '@passport/contract';
import { listInvitations, openInvitations } from '@passport/queue/joining';
import { buildJoinRequest, JOIN_SECRETS, sealJoinSecrets, waitFor } from '@passport/testkit';
import { read, useReceiver } from './receiver-fixture.ts';

const receiver = useReceiver();

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 3072,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
});

async function invite(library: string, lifeMs = 3_600_000): Promise<JoinInvitation> {
  const invitation = `inv_${library.padEnd(22, '0')}`;
  const token = Buffer.alloc(32, library).toString('base64url');
  await openInvitations(receiver.redis, receiver.encryption).add({
    invitation,
    library,
    name: `Library of ${library}`,
    token,
    privateKey: privateKey.toString('base64url'),
    madeMs: Date.now(),
    endsMs: Date.now() + lifeMs,
  });
  return {
    v: 1,
    receiver: receiver.url,
    invitation,
    library,
    name: `Library of ${library}`,
    consortium: 'Test Libraries',
    ends: Math.floor((Date.now() + lifeMs) / 1000),
    token,
    key: publicKey.toString('base64url'),
  };
}

const post = (request: unknown, type = 'application/json') =>
  fetch(`${receiver.url}/join`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof request === 'string' ? request : JSON.stringify(request),
  });
const waiting = async () =>
  (await listInvitations(receiver.redis)).map(({ library, request }) => [
    library,
    request?.fingerprint ?? null,
  ]);

test('a request is kept for an operator, and both sides have the same fingerprint; repeating it changes nothing', async () => {
  const request = buildJoinRequest(await invite('lakeside'));
  const fingerprint = joinFingerprint(request.body);
  expect(await read(post(request))).toMatchObject({ status: 202, body: { fingerprint } });
  expect(await read(post(request))).toMatchObject({ status: 202, body: { fingerprint } });
  expect(await waiting()).toEqual([['lakeside', fingerprint]]);
});

test('a second request does not take the place of the first', async () => {
  const invitation = await invite('lakeside');
  const [leaked, own] = [buildJoinRequest(invitation), buildJoinRequest(invitation)];
  await post(leaked);
  expect(await read(post(own))).toMatchObject({ status: 409, body: { code: 'request_pending' } });
  expect(await waiting()).toEqual([['lakeside', joinFingerprint(leaked.body)]]);
});

const HOSTILE: readonly (readonly [string, (invitation: JoinInvitation) => object | string])[] = [
  [
    'an invitation that was never made',
    (own) => buildJoinRequest({ ...own, invitation: `inv_${'x'.repeat(22)}` }),
  ],
  ['a wrong token', (own) => buildJoinRequest(own, {}, { token: Buffer.alloc(32).toString('base64url') })],
  [
    "another library's invitation with one's own token",
    async (own) => buildJoinRequest({ ...(await invite('riverside')), token: own.token }),
  ],
  [
    'an altered address',
    (own) => {
      const { body, mac } = buildJoinRequest(own);
      return { body: body.replace('midland', 'nidland'), mac };
    },
  ],
  [
    'an altered fingerprint of the MAC',
    (own) => {
      const { body, mac } = buildJoinRequest(own);
      return { body, mac: `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}` };
    },
  ],
  [
    'an invitation that was withdrawn',
    async (own) => {
      await openInvitations(receiver.redis, receiver.encryption).end(own);
      return buildJoinRequest(own);
    },
  ],
  ['no envelope', () => ({ invitation: 'x' })],
  ['no JSON', () => '{'],
  ['nothing', () => ''],
  ['a list nested without end', () => '['.repeat(4_000)],
];

test.each(HOSTILE)(
  'a request with %s is not found, and all of these answers are the same',
  async (_, make) => {
    const invitation = await invite('lakeside');
    const request: unknown = await Promise.resolve(make(invitation));
    const answer = await read(post(request));
    expect(answer).toMatchObject({
      status: 404,
      body: {
        type: 'urn:patron-passport:problem:not_found',
        title: 'There is nothing here',
        status: 404,
        code: 'not_found',
      },
    });
    expect(Object.keys(answer.body)).toHaveLength(4);
    expect((await waiting()).filter(([, fingerprint]) => fingerprint !== null)).toEqual([]);
  },
);

test('a request after the end of its invitation is not found', async () => {
  const request = buildJoinRequest(await invite('lakeside', -1));
  expect(await read(post(request))).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

const now = (): number => Math.floor(Date.now() / 1000);
test.each([
  ['sent_at', 'made eleven minutes ago', () => ({ sent_at: now() - 660 })],
  ['sent_at', 'of the future', () => ({ sent_at: now() + 660 })],
  [
    'koha.url',
    'with an escape code in the address',
    () => ({
      koha: { url: 'https://x.example.org/\u001B]0;owned\u0007', version: '1', plugin: '1', branches: 1 },
    }),
  ],
  [
    'koha.url',
    'with an address that is none',
    () => ({ koha: { url: 'not an address', version: '1', plugin: '1', branches: 1 } }),
  ],
  ['cards.0', 'with a pattern of 300 characters', () => ({ cards: ['(a+)+'.repeat(60)] })],
  ['sealed', 'with a seal that is none', () => ({ sealed: 'AAAA' })],
])('%s is named of an authenticated request %s', async (field, _what, change) => {
  const request = buildJoinRequest(await invite('lakeside'), change());
  expect(await read(post(request))).toMatchObject({ status: 422, body: { code: 'invalid_field', field } });
  expect(await waiting()).toEqual([['lakeside', null]]);
});

test('what is too large or no JSON is refused before anything is read of it', async () => {
  const invitation = await invite('lakeside');
  const large = buildJoinRequest(invitation, { padding: 'x'.repeat(8_192) });
  expect(await read(post(large))).toMatchObject({ status: 413, body: { code: 'too_large' } });
  expect(await read(post(buildJoinRequest(invitation), 'text/plain'))).toMatchObject({ status: 415 });
  expect(await waiting()).toEqual([['lakeside', null]]);
});

test('while Redis does not answer, strangers write no line for each request', async () => {
  const request = buildJoinRequest(await invite('lakeside'));
  const before = receiver.logged().length;
  receiver.server.freeze();
  const answers = await Promise.all(Array.from({ length: 15 }, () => post(request))).finally(() =>
    receiver.server.thaw(),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
  const lines = receiver
    .logged()
    .slice(before)
    .match(/a request to join could not be taken/g);
  expect(lines).toHaveLength(10);
});

test('the log says who asks, and of nothing what was sent', async () => {
  const invitation = await invite('lakeside');
  const planted = { i: 'planted-id', s: 'planted-secret', w: JOIN_SECRETS.w };
  const koha = { url: 'https://planted.example.org', version: '25.05', plugin: '1', branches: 1 };
  const sealed = sealJoinSecrets(invitation, planted);
  const request = buildJoinRequest(invitation, { koha, sealed });
  await post({ ...request, mac: 'A'.repeat(43) });
  await post(request);
  const log = receiver.logged();
  expect(log).toMatch(/"action":"join_request","library":"lakeside"/);
  expect(log).not.toMatch(/planted|inv_lakeside/);
  expect(log).not.toContain(invitation.token);
  expect(log).not.toContain(sealed);
});

/** A hundred at once are looked for, and twenty in each second that they take. */
const GUESSES = 300;

test('of strangers who guess invitations few reach Redis, and a library may try again', async () => {
  const invitation = await invite('lakeside');
  const guess = buildJoinRequest({ ...invitation, invitation: `inv_${'x'.repeat(22)}` });
  await receiver.server.call('CONFIG', 'RESETSTAT');
  const answers = await Promise.all(Array.from({ length: GUESSES }, () => read(post(guess))));
  const limited = answers.filter(({ status }) => status === 503);
  expect(limited.length).toBeGreaterThan(10);
  expect(limited[0]).toMatchObject({ body: { code: 'unavailable' } });
  expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  const stats = String(await receiver.server.call('INFO', 'commandstats'));
  expect(Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1])).toBe(GUESSES - limited.length);
  await waitFor(
    'the request to be taken',
    async () => (await post(buildJoinRequest(invitation))).status === 202,
  );
});
