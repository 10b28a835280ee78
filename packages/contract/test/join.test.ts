import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  formatJoinLink,
  formatPastedRequest,
  isJoinMac,
  type JoinInvitation,
  joinFingerprint,
  parseJoinRequest,
  readJoinEnvelope,
  readPastedRequest,
  unsealJoinSecrets,
} from '@passport/contract';

interface Vectors {
  invitation: { link: string; payload: JoinInvitation; private_key: string };
  requests: {
    name: string;
    envelope: string;
    body: string;
    fingerprint: string;
    pasted: string;
    verdict: string;
    secrets: { i: string; s: string; w: string | null } | null;
  }[];
}
const { invitation, requests } = JSON.parse(
  readFileSync(new URL('../vectors/join.json', import.meta.url), 'utf8'),
) as Vectors;
const privateKey = createPrivateKey({
  key: Buffer.from(invitation.private_key, 'base64url'),
  format: 'der',
  type: 'pkcs8',
});
const [first] = requests;
if (first === undefined) throw new Error('no vectors');

test('a link is the address with the invitation behind its #', () => {
  expect(formatJoinLink(invitation.payload)).toBe(invitation.link);
});

describe('vectors', () => {
  test.each(requests)('$name: $verdict', ({ envelope, body, fingerprint, pasted, verdict, secrets }) => {
    const read = readJoinEnvelope(envelope);
    if (read === null) throw new Error('not read');
    expect(read).toMatchObject({ envelope: { body }, invitation: invitation.payload.invitation });
    expect(isJoinMac(invitation.payload.token, read.envelope)).toBe(verdict === 'accepted');
    expect(joinFingerprint(body)).toBe(fingerprint);
    expect(formatPastedRequest(read.envelope)).toBe(pasted);
    expect(readPastedRequest(pasted)).toBe(envelope);
    const parsed = parseJoinRequest(body);
    if (parsed.kind === 'invalid') throw new Error(parsed.field);
    expect(unsealJoinSecrets(privateKey, parsed.request)).toEqual(
      secrets && { clientId: secrets.i, clientSecret: secrets.s, webhookSecret: secrets.w },
    );
  });
});

test('a mail program may break the lines of a pasted text', () => {
  const broken = ` ${first.pasted.replaceAll(/.{72}/g, '$&\r\n ')}\n`;
  expect(readPastedRequest(broken)).toBe(first.envelope);
});

test.each([
  ['nothing', ''],
  ['something else', 'Dear operator, please find attached'],
  ['no base64url', 'passport-join-request.{}'],
  ['an empty request', 'passport-join-request.'],
  ['more than a request may have', `passport-join-request.${'A'.repeat(11_000)}`],
])('a pasted text of %s is none', (_, text) => {
  expect(readPastedRequest(text)).toBeNull();
});

test.each([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['no MAC', JSON.stringify({ body: first.body })],
  ['a short MAC', JSON.stringify({ body: first.body, mac: 'AAAA' })],
  ['a body that is no JSON', JSON.stringify({ body: 'x', mac: 'A'.repeat(43) })],
  ['half a character', String.raw`{"body":"{\"invitation\":\"\ud800\"}","mac":"${'A'.repeat(43)}"}`],
  ['an invitation of another form', JSON.stringify({ body: '{"invitation":"*"}', mac: 'A'.repeat(43) })],
])('%s is no envelope', (_, text) => {
  expect(readJoinEnvelope(text)).toBeNull();
});

test.each([
  ['v', { v: 2 }],
  ['sent_at', { sent_at: '2026' }],
  ['koha', { koha: null }],
  ['koha.url', { koha: { url: 'https://x.example.org/\u001B[2J', version: '1', plugin: '1', branches: 1 } }],
  ['koha.version', { koha: { url: 'https://x.example.org', version: '\u202E1', plugin: '1', branches: 1 } }],
  ['koha.branches', { koha: { url: 'https://x.example.org', version: '1', plugin: '1', branches: -1 } }],
  [
    'copy.category',
    { copy: { category: 'PASSPORT-TOO-LONG', passport_attribute: 'P', home_key_attribute: 'K' } },
  ],
  ['cards', { cards: Array.from({ length: 21 }, () => '^1$') }],
  ['cards.0', { cards: ['(a+)+'.repeat(41)] }],
  ['sealed', { sealed: 'AAAA' }],
])('what does not fit at %s is named, and its value never is', (field, changes) => {
  const body = JSON.stringify({ ...(JSON.parse(first.body) as object), ...changes });
  expect(parseJoinRequest(body)).toEqual({
    kind: 'invalid',
    field,
    problem: expect.stringMatching(/^must /),
  });
});
