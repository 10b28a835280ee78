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

/** A sealed text that cannot be opened. Says why, never what. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code = 'SEAL';
}

/** Seals what must travel unreadable and recognises what must not be stored. Keys: `PASSPORT_KEY`. */
export interface Sealer {
  /** Seals with the first key; `context` must be the same at opening, so that a seal cannot be moved elsewhere. */
  seal(plain: string, context: string): string;
  /** Opens with whichever key sealed it; throws {@link SealError}. */
  open(sealed: string, context: string): string;
  /** A keyed hash, `kid:base64url`, with the first key. Equal texts have equal hashes within one purpose only. */
  hash(purpose: string, text: string): string;
  /** The hash with every key, the first key's first: what may be found from before a rotation. */
  hashes(purpose: string, text: string): readonly string[];
}

/** Key objects: with a key of bytes Node 24 takes four times as long for each seal and hash. */
interface Subkeys {
  readonly kid: string;
  readonly seal: KeyObject;
  readonly hash: KeyObject;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KID_BYTES = 4;
const CIPHER = 'aes-256-gcm';

/**
 * A sealer over keys of 32 bytes each: AES-256-GCM with a random nonce of 96 bits, and HMAC-SHA256, under subkeys
 * derived for each use (HKDF-SHA256). The first key seals and hashes, all open. Throws on no key, a key of another
 * length or the same key twice.
 */
export function createSealer(keys: readonly Buffer[]): Sealer {
  const all = keys.map(deriveSubkeys);
  const [first] = all;
  if (first === undefined) throw new SealError('no key');
  if (new Set(all.map(({ kid }) => kid)).size !== all.length) throw new SealError('the same key twice');
  return {
    seal: (plain, context) => sealWith(first, plain, context),
    open: (sealed, context) => openWith(all, sealed, context),
    hash: (purpose, text) => hashWith(first, purpose, text),
    hashes: (purpose, text) => all.map((key) => hashWith(key, purpose, text)),
  };
}

function deriveSubkeys(key: Buffer): Subkeys {
  if (key.length !== KEY_BYTES) throw new SealError(`a key has ${key.length} bytes, not ${KEY_BYTES}`);
  const kid = createHash('sha256').update(subkey(key, 'kid')).digest().subarray(0, KID_BYTES);
  return {
    kid: kid.toString('base64url'),
    seal: createSecretKey(subkey(key, 'seal')),
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

function sealWith(key: Subkeys, plain: string, context: string): string {
  const nonce = nextNonce();
  const cipher = createCipheriv(CIPHER, key.seal, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${key.kid}:${sealed.toString('base64url')}`;
}

function openWith(keys: readonly Subkeys[], sealed: string, context: string): string {
  const [, kid, text] = /^([\w-]{6}):([\w-]+)$/.exec(sealed) ?? [];
  if (kid === undefined || text === undefined) throw new SealError('not a sealed text');
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw new SealError('sealed with a key that PASSPORT_KEY does not hold');
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SealError('not a sealed text');
  const decipher = createDecipheriv(CIPHER, key.seal, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return (
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    );
  } catch {
    throw new SealError('changed, or sealed for another use');
  }
}

/** The length in front keeps ("ab", "c") and ("a", "bc") apart. */
function hashWith(key: Subkeys, purpose: string, text: string): string {
  const hmac = createHmac('sha256', key.hash).update(`${purpose.length}:${purpose}${text}`);
  return `${key.kid}:${hmac.digest('base64url')}`;
}
