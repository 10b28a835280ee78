import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto';
import { type JoinInvitation, joinMac } from '@passport/contract';

/** The invitation behind a link's `#`. */
export const invitationIn = (link: string): JoinInvitation =>
  JSON.parse(Buffer.from(new URL(link.trim()).hash.slice(1), 'base64url').toString('utf8')) as JoinInvitation;

/** What the plugin seals. */
export const JOIN_SECRETS = {
  i: '2f0c2b1e-5d3c-4a43-9a5c-0d6b5a1f7c11',
  s: '9b8e7c64-2f4e-4d7e-8d1a-6a3d0f5b2e90',
  w: `whsec_${Buffer.from('a made-up secret of thirty-two o').toString('base64')}`,
};

const KOHA_URL = 'https://staff.midland.example.org';

/** Seals secrets to an invitation, for one address, as the plugin does. */
export function sealJoinSecrets(
  { key }: Pick<JoinInvitation, 'key'>,
  secrets: object,
  url = KOHA_URL,
): string {
  const address = createHash('sha256').update(url).digest('base64url');
  const publicKey = createPublicKey({ key: Buffer.from(key, 'base64url'), format: 'der', type: 'spki' });
  return publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(JSON.stringify({ ...secrets, u: address })),
  ).toString('base64url');
}

/** A request by an invitation, as the plugin makes it: `change` is laid over it before it is authenticated. */
export function buildJoinRequest(
  invitation: JoinInvitation,
  change: Readonly<Record<string, unknown>> = {},
  { secrets = JOIN_SECRETS, token = invitation.token }: { secrets?: object; token?: string } = {},
): { readonly body: string; readonly mac: string } {
  const koha = { url: KOHA_URL, version: '25.05.01', plugin: '1.0.0', branches: 3 };
  const url: unknown = Reflect.get(Object(change['koha'] ?? koha), 'url');
  const body = JSON.stringify({
    v: 1,
    invitation: invitation.invitation,
    sent_at: Math.floor(Date.now() / 1000),
    koha,
    copy: { category: 'PASSPORT', passport_attribute: 'PASSPORTED', home_key_attribute: 'PASSPORTED_ID' },
    cards: [String.raw`^21234\d{9}$`],
    sealed: sealJoinSecrets(invitation, secrets, String(url)),
    ...change,
  });
  return { body, mac: joinMac(token, body) };
}
