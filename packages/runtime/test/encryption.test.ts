import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DecryptionError, createEncryption } from '@passport/runtime';

const key = (name: string) => createHash('sha256').update(name).digest();
const [OLD, NEW, OTHER] = [key('old'), key('new'), key('other')];
const CARD = '21234000000017';

test('whatever is encrypted is decrypted again, in its own context only', () => {
  const encryption = createEncryption([NEW]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (plain, context, other) => {
      fc.pre(context !== other);
      const encrypted = encryption.encrypt(plain, context);
      expect(encryption.decrypt(encrypted, context)).toBe(plain);
      expect(() => encryption.decrypt(encrypted, other)).toThrow(DecryptionError);
    }),
  );
});

test('encrypting the same twice looks different, and shows nothing', () => {
  const encryption = createEncryption([NEW]);
  const [one, two] = [encryption.encrypt(CARD, 'job'), encryption.encrypt(CARD, 'job')];
  expect(one).not.toBe(two);
  expect(Buffer.from(one.split(':')[1] ?? '', 'base64url').includes(CARD)).toBe(false);
});

test('one changed character anywhere makes it impossible to decrypt, and the error reveals nothing', () => {
  const encryption = createEncryption([NEW]);
  const encrypted = encryption.encrypt(CARD, 'job');
  for (let at = 0; at < encrypted.length; at += 1) {
    const changed = `${encrypted.slice(0, at)}${encrypted[at] === 'A' ? 'Q' : 'A'}${encrypted.slice(at + 1)}`;
    let opened: unknown = null;
    try {
      opened = encryption.decrypt(changed, 'job');
    } catch (error) {
      expect(error).toBeInstanceOf(DecryptionError);
      expect(JSON.stringify(error) + String(error)).not.toContain(CARD);
    }
    expect(opened).toBeNull();
  }
});

test('after a rotation the first key encrypts and the old one still decrypts', () => {
  const before = createEncryption([OLD]).encrypt(CARD, 'job');
  const rotated = createEncryption([NEW, OLD]);
  expect(rotated.decrypt(before, 'job')).toBe(CARD);
  const after = rotated.encrypt(CARD, 'job');
  expect(createEncryption([NEW]).decrypt(after, 'job')).toBe(CARD);
  expect(() => createEncryption([OLD]).decrypt(after, 'job')).toThrow('a key that is not in PASSPORT_KEY');
});

test('a hash is keyed, has the id of its key and is another one for another purpose', () => {
  const encryption = createEncryption([NEW]);
  expect(encryption.hash('card', CARD)).toMatch(/^[\w-]{6}:[\w-]{43}$/);
  expect(encryption.hash('card', CARD)).toBe(encryption.hash('card', CARD));
  expect(encryption.hash('body', CARD)).not.toBe(encryption.hash('card', CARD));
  expect(createEncryption([OTHER]).hash('card', CARD)).not.toBe(encryption.hash('card', CARD));
  expect(encryption.hash('ab', 'c')).not.toBe(encryption.hash('a', 'bc'));
});

test('after a rotation the hash from before is among the hashes', () => {
  const rotated = createEncryption([NEW, OLD]);
  expect(rotated.hashes('card', CARD)).toEqual([
    rotated.hash('card', CARD),
    createEncryption([OLD]).hash('card', CARD),
  ]);
});

test.each([
  ['no key', []],
  ['a key has 16 bytes', [NEW.subarray(0, 16)]],
  ['the same key twice', [NEW, NEW]],
])('%s is refused', (message, keys) => {
  expect(() => createEncryption(keys)).toThrow(message);
});

test.each([
  '',
  'plain',
  'abcdef:',
  'abcdef:AAAA',
  `${createEncryption([NEW]).hash('x', 'y').slice(0, 6)}:AAAA`,
])('what is no ciphertext (%j) is a DecryptionError', (text) => {
  expect(() => createEncryption([NEW]).decrypt(text, 'job')).toThrow(DecryptionError);
});
