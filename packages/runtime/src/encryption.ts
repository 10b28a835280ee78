import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
} from 'node:crypto';

/** An encrypted text that cannot be decrypted. Says why, never what. */
export class DecryptionError extends Error {
  override readonly name = 'DecryptionError';
  readonly code = 'DECRYPTION';
}

/** Encrypts what must travel unreadable and recognises what must not be stored. Keys: `PASSPORT_KEY`. */
export interface Encryption {
  /** Encrypts with the first key; `context` must be the same for decryption, so that a text cannot be moved elsewhere. */
  encrypt(plain: string, context: string): string;
  /** Decrypts with whichever key encrypted it; throws {@link DecryptionError}. */
  decrypt(encrypted: string, context: string): string;
  /** A keyed hash, `kid:base64url`, with the first key. Equal texts have equal hashes within one purpose only. */
  hash(purpose: string, text: string): string;
  /** The hash with every key, the first key's first: what may be found from before a rotation. */
  hashes(purpose: string, text: string): readonly string[];
}

/** Key objects: with a key of bytes Node 24 takes four times as long for each encryption and hash. */
interface Subkeys {
  readonly kid: string;
  readonly encrypt: KeyObject;
  readonly hash: KeyObject;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KID_BYTES = 4;
const CIPHER = 'aes-256-gcm';

/**
 * Encryption with keys of 32 bytes each: AES-256-GCM with a random nonce of 96 bits, and HMAC-SHA256, under subkeys
 * derived for each use (HKDF-SHA256). The first key encrypts and hashes, all decrypt. Throws on no key, a key of another
 * length or the same key twice.
 */
export function createEncryption(keys: readonly Buffer[]): Encryption {
  const all = keys.map(deriveSubkeys);
  const [first] = all;
  if (first === undefined) throw new DecryptionError('no key');
  if (new Set(all.map(({ kid }) => kid)).size !== all.length) throw new DecryptionError('the same key twice');
  return {
    encrypt: (plain, context) => encryptWith(first, plain, context),
    decrypt: (encrypted, context) => decryptWith(all, encrypted, context),
    hash: (purpose, text) => hashWith(first, purpose, text),
    hashes: (purpose, text) => all.map((key) => hashWith(key, purpose, text)),
  };
}

function deriveSubkeys(key: Buffer): Subkeys {
  if (key.length !== KEY_BYTES) throw new DecryptionError(`a key has ${key.length} bytes, not ${KEY_BYTES}`);
  const kid = createHash('sha256').update(subkey(key, 'kid')).digest().subarray(0, KID_BYTES);
  return {
    kid: kid.toString('base64url'),
    encrypt: createSecretKey(subkey(key, 'seal')), // the label of all jobs so far: it cannot change
    hash: createSecretKey(subkey(key, 'hash')),
  };
}

function subkey(key: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `patron-passport ${use}`, KEY_BYTES));
}

const nonces = Buffer.alloc(NONCE_BYTES * 512);
let used = nonces.length;

/** Random bytes cost less by the thousand than by the dozen. Each is given out once. */
function nextNonce(): Buffer {
  if (used === nonces.length) {
    randomFillSync(nonces);
    used = 0;
  }
  used += NONCE_BYTES;
  return nonces.subarray(used - NONCE_BYTES, used);
}

function encryptWith(key: Subkeys, plain: string, context: string): string {
  const nonce = nextNonce();
  const cipher = createCipheriv(CIPHER, key.encrypt, nonce).setAAD(Buffer.from(context));
  const encrypted = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${key.kid}:${encrypted.toString('base64url')}`;
}

function decryptWith(keys: readonly Subkeys[], encrypted: string, context: string): string {
  const [, kid, text] = /^([\w-]{6}):([\w-]+)$/.exec(encrypted) ?? [];
  if (kid === undefined || text === undefined) throw new DecryptionError('not an encrypted text');
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw new DecryptionError('encrypted with a key that is not in PASSPORT_KEY');
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new DecryptionError('not an encrypted text');
  const decipher = createDecipheriv(CIPHER, key.encrypt, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return (
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch {
    throw new DecryptionError('changed, or encrypted for another use');
  }
}

/** The length in front keeps ("ab", "c") and ("a", "bc") apart. */
function hashWith(key: Subkeys, purpose: string, text: string): string {
  const hmac = createHmac('sha256', key.hash).update(`${purpose.length}:${purpose}${text}`);
  return `${key.kid}:${hmac.digest('base64url')}`;
}
