import {
  constants,
  createHash,
  createHmac,
  type KeyObject,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import * as z from 'zod';
import { firstFault } from './body-parts.ts';
import { parseWebhookSecret } from './signature.ts';

/** A request is one small JSON object: the longest, in bytes. */
export const LONGEST_JOIN_REQUEST = 8192;
/** A request that is sent is refused when its time is further off than this, either way; a pasted one is good until its invitation ends. */
export const JOIN_REQUEST_TOLERANCE_SECONDS = 600;
/** The path of the page for people, and of what the plugin posts, below the receiver's public address. */
export const JOIN_PATH = '/join';

const PASTED = 'passport-join-request.';
const BASE64URL = /^[\w-]+$/;
const SEALED_BYTES = 384; // RSA-3072

/** What a join link holds behind its `#`, which no server and no log sees. */
export interface JoinInvitation {
  readonly v: 1;
  /** The receiver's public address. */
  readonly receiver: string;
  readonly invitation: string;
  /** The library's id, for good. */
  readonly library: string;
  readonly name: string;
  readonly consortium: string;
  /** Unix seconds. */
  readonly ends: number;
  /** Whoever has it may ask, once: 32 bytes, base64url. */
  readonly token: string;
  /** Public key that the request's secrets are sealed to: SPKI in DER of RSA-3072, base64url. */
  readonly key: string;
}

/** Writes the link that an operator sends to a library. */
export function formatJoinLink(invitation: JoinInvitation): string {
  return `${invitation.receiver}${JOIN_PATH}#${Buffer.from(JSON.stringify(invitation)).toString('base64url')}`;
}

/** Text of one line that shows as it is: control and format characters could forge what stands beside it on a screen. */
const line = (longest: number) =>
  z
    .string({ error: 'must be text' })
    .refine((text) => text.isWellFormed() && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text), {
      error: 'must not hold control or format characters',
      abort: true,
    })
    .refine((text) => text.trim() !== '' && [...text].length <= longest, {
      error: `must have 1 to ${longest} characters`,
    })
    .meta({ minLength: 1, maxLength: longest });

const object = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape, { error: 'must be an object' });

const invitationId = z
  .string({ error: 'must be text' })
  .regex(/^inv_[\w-]{22}$/, { error: 'must be inv_ and 22 of A-Z a-z 0-9 _ -' });

/** What a library asks with. The receiver's OpenAPI description is made from it. */
export const joinRequestSchema = object({
  v: z.literal(1, { error: 'must be 1' }),
  invitation: invitationId,
  sent_at: z.int({ error: 'must be Unix seconds' }).positive({ error: 'must be Unix seconds' }),
  koha: object({
    url: line(300)
      .refine((text) => URL.canParse(text), { error: 'is not a URL' })
      .describe('Where the service reaches its Koha'),
    version: line(40),
    plugin: line(40),
    branches: z
      .int({ error: 'must be a whole number' })
      .min(0, { error: 'must be a whole number' })
      .max(100_000, { error: 'must be at most 100000' }),
  }),
  copy: object({
    category: line(10),
    passport_attribute: line(64),
    home_key_attribute: line(64),
  }),
  cards: z
    .array(line(200), { error: 'must be a list' })
    .max(20, { error: 'must have at most 20 patterns' })
    .describe("Patterns of the library's own cards"),
  sealed: z
    .string({ error: 'must be text' })
    .refine((text) => BASE64URL.test(text) && Buffer.from(text, 'base64url').length === SEALED_BYTES, {
      error: `must be base64url of ${SEALED_BYTES} bytes`,
    })
    .describe('RSA-OAEP (SHA-1, MGF1) of the secrets'),
});
/** A request as a library asks; nothing in it is trusted before an operator has compared its fingerprint. */
export type JoinRequest = z.infer<typeof joinRequestSchema>;

/** What is posted: the request as a text, so that its bytes are those that were authenticated, and their HMAC-SHA-256 with the token. */
export const joinEnvelopeSchema = object({
  body: z.string({ error: 'must be text' }).describe('The request, as JSON in a text'),
  mac: z
    .string({ error: 'must be text' })
    .regex(/^[\w-]{43}$/, { error: 'must be base64url of 32 bytes' })
    .describe('HMAC-SHA-256 of `body` in UTF-8 with the token of the invitation'),
});
export type JoinEnvelope = z.infer<typeof joinEnvelopeSchema>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads an envelope and the id of the invitation that it names, of which nothing is believed until {@link isJoinMac} said yes. Null: it is none.
 */
export function readJoinEnvelope(
  text: string,
): { readonly envelope: JoinEnvelope; readonly invitation: string } | null {
  const envelope = z.safeParse(joinEnvelopeSchema, parseJson(text));
  if (!envelope.success || !envelope.data.body.isWellFormed()) return null;
  const named = z.safeParse(z.object({ invitation: invitationId }), parseJson(envelope.data.body));
  return named.success ? { envelope: envelope.data, invitation: named.data.invitation } : null;
}

/** Writes an envelope as the text that is carried where there is no network path, which {@link readPastedRequest} reads. */
export function formatPastedRequest(envelope: JoinEnvelope): string {
  return `${PASTED}${Buffer.from(JSON.stringify(envelope)).toString('base64url')}`;
}

/** The envelope in a pasted text, as JSON; line breaks and blanks that a mail program put in do not matter. Null: it is none. */
export function readPastedRequest(text: string): string | null {
  const joined = text.replaceAll(/\s+/g, '');
  const encoded = joined.startsWith(PASTED) ? joined.slice(PASTED.length) : '';
  const json = BASE64URL.test(encoded) ? Buffer.from(encoded, 'base64url') : Buffer.alloc(0);
  return json.length === 0 || json.length > LONGEST_JOIN_REQUEST ? null : json.toString('utf8');
}

/** The MAC of a request's text with an invitation's token (base64url), in base64url. */
export function joinMac(token: string, body: string): string {
  return createHmac('sha256', Buffer.from(token, 'base64url')).update(body, 'utf8').digest('base64url');
}

/** Whether an envelope was made with the token of the invitation; compared in constant time. */
export function isJoinMac(token: string, { body, mac }: JoinEnvelope): boolean {
  return timingSafeEqual(Buffer.from(joinMac(token, body), 'base64url'), Buffer.from(mac, 'base64url'));
}

export type ParsedJoinRequest =
  | { readonly kind: 'request'; readonly request: JoinRequest }
  | { readonly kind: 'invalid'; readonly field: string; readonly problem: string };

/** Reads the text of a request, and what is wrong with it: the first field only, its value never. */
export function parseJoinRequest(body: string): ParsedJoinRequest {
  const parsed = z.safeParse(joinRequestSchema, parseJson(body));
  if (parsed.success) return { kind: 'request', request: parsed.data };
  return { kind: 'invalid', ...firstFault(parsed.error) };
}

/**
 * What two people read to each other: four groups of five digits, from the SHA-256 of the request's text, five bytes each as one number
 * modulo 100,000.
 */
export function joinFingerprint(body: string): string {
  const digest = createHash('sha256').update(body, 'utf8').digest();
  return [0, 5, 10, 15]
    .map((from) => String(digest.readUIntBE(from, 5) % 100_000).padStart(5, '0'))
    .join(' ');
}

// Nothing that would need quotes in a file of NAME=value lines; those of a Koha are UUIDs.
const credential = z.string().regex(/^[\w.~+/=-]{1,100}$/);
const secretsSchema = z
  .object({ i: credential, s: credential, w: z.string().nullable(), u: z.string() })
  .transform(({ i, s, w, u }) => ({ clientId: i, clientSecret: s, webhookSecret: w, address: u }));
/** What a library entrusts to the service. The webhook secret is null where it only shares. */
export type JoinSecrets = Omit<z.infer<typeof secretsSchema>, 'address'>;

/** Opens what a request's secrets were sealed in. Null: sealed to another key or for another address, or they are none. */
export function unsealJoinSecrets(
  privateKey: KeyObject,
  { sealed, koha }: Pick<JoinRequest, 'sealed' | 'koha'>,
): JoinSecrets | null {
  let text: string;
  try {
    text = privateDecrypt(
      // Koha's own RSA module, Crypt::OpenSSL::RSA, has OAEP with SHA-1 only; OAEP does not rely on its resistance to collisions.
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(sealed, 'base64url'),
    ).toString('utf8');
  } catch {
    return null;
  }
  const read = z.safeParse(secretsSchema, parseJson(text));
  if (!read.success) return null;
  const { address, ...secrets } = read.data;
  // Whoever has the link and sees a request could else put its seal beside an address of their own, to be sent what it holds.
  if (address !== createHash('sha256').update(koha.url, 'utf8').digest('base64url')) return null;
  try {
    if (secrets.webhookSecret !== null) parseWebhookSecret(secrets.webhookSecret);
  } catch {
    return null;
  }
  return secrets;
}
