import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SealError, createSealer } from '@passport/runtime';

const key = (name: string) => createHash('sha256').update(name).digest();
const [OLD, NEW, OTHER] = [key('old'), key('new'), key('other')];
const CARD = '21234000000017';

test('whatever is sealed is opened again, in its own context only', () => {
  const sealer = createSealer([NEW]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (plain, context, other) => {
      fc.pre(context !== other);
      const sealed = sealer.seal(plain, context);
      expect(sealer.open(sealed, context)).toBe(plain);
      expect(() => sealer.open(sealed, other)).toThrow(SealError);
    }),
  );
});

test('sealing the same twice looks different, and shows nothing', () => {
  const sealer = createSealer([NEW]);
  const [one, two] = [sealer.seal(CARD, 'job'), sealer.seal(CARD, 'job')];
  expect(one).not.toBe(two);
  expect(Buffer.from(one.split(':')[1] ?? '', 'base64url').includes(CARD)).toBe(false);
});

test('one changed character anywhere makes a seal unopenable, and the error tells nothing', () => {
  const sealer = createSealer([NEW]);
  const sealed = sealer.seal(CARD, 'job');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'Q' : 'A'}${sealed.slice(at + 1)}`;
    let opened: unknown = null;
    try {
      opened = sealer.open(changed, 'job');
    } catch (error) {
      expect(error).toBeInstanceOf(SealError);
      expect(JSON.stringify(error) + String(error)).not.toContain(CARD);
    }
    expect(opened).toBeNull();
  }
});

test('after a rotation the first key seals and the old one still opens', () => {
  const before = createSealer([OLD]).seal(CARD, 'job');
  const rotated = createSealer([NEW, OLD]);
  expect(rotated.open(before, 'job')).toBe(CARD);
  const after = rotated.seal(CARD, 'job');
  expect(createSealer([NEW]).open(after, 'job')).toBe(CARD);
  expect(() => createSealer([OLD]).open(after, 'job')).toThrow('a key that PASSPORT_KEY does not hold');
});

test('a hash is keyed, has the id of its key and is another one for another purpose', () => {
  const sealer = createSealer([NEW]);
  expect(sealer.hash('card', CARD)).toMatch(/^[\w-]{6}:[\w-]{43}$/);
  expect(sealer.hash('card', CARD)).toBe(sealer.hash('card', CARD));
  expect(sealer.hash('body', CARD)).not.toBe(sealer.hash('card', CARD));
  expect(createSealer([OTHER]).hash('card', CARD)).not.toBe(sealer.hash('card', CARD));
  expect(sealer.hash('ab', 'c')).not.toBe(sealer.hash('a', 'bc'));
});

test('after a rotation the hash from before is among the hashes', () => {
  const rotated = createSealer([NEW, OLD]);
  expect(rotated.hashes('card', CARD)).toEqual([
    rotated.hash('card', CARD),
    createSealer([OLD]).hash('card', CARD),
  ]);
});

test.each([
  ['no key', []],
  ['a key has 16 bytes', [NEW.subarray(0, 16)]],
  ['the same key twice', [NEW, NEW]],
])('%s is refused', (message, keys) => {
  expect(() => createSealer(keys)).toThrow(message);
});

test.each(['', 'plain', 'abcdef:', 'abcdef:AAAA', `${createSealer([NEW]).hash('x', 'y').slice(0, 6)}:AAAA`])(
  'what is no seal (%j) is a SealError',
  (text) => {
    expect(() => createSealer([NEW]).open(text, 'job')).toThrow(SealError);
  },
);
