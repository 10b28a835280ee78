import { parseWebhookSecret } from '@passport/contract';
import type { Secret } from './secret.ts';

const SHORTEST_SECRET = 12;
const LEAST_CHARACTERS = 5;
/** 32 random bytes hold fewer different ones once in far more tries than there are atoms. */
const LEAST_BYTES = 8;
const SAMPLE = 'is a sample secret that everybody knows';
const NOT_RANDOM = 'repeats a few bytes or counts: it was not made at random';

// What manuals, examples and placeholders say. koha/koha stood in the README of the plugin this product replaces.
const SAMPLES = new Set(
  [
    'koha kohaadmin kohakoha secret secretsecret mysecret yoursecret supersecret topsecret sharedsecret webhooksecret clientsecret',
    'yourclientsecret password passwd passwort motdepasse pass mypassword yourpassword changeme changethis changeit replaceme',
    'replacethis fillme admin administrator root user test testing testtest example sample demo default passport patronpassport',
    'library letmein welcome qwerty qwertyuiop abc abcdefgh foobar foo bar todo tbd none null undefined empty placeholder insertsecrethere',
  ]
    .join(' ')
    .split(' '),
);

// Published in the Standard Webhooks specification and copied into many an example.
const PUBLISHED_WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Whether a secret is one that everybody knows: a sample, a placeholder, or one character again and again. */
function isSampleSecret(text: string): boolean {
  if (text === PUBLISHED_WEBHOOK_SECRET) return true;
  if (/^(.)\1*$/u.test(text) || /^[<[{$].*[>\]}]$/.test(text)) return true;
  const letters = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/\d+$/, '');
  return letters === '' ? text.length < 16 : SAMPLES.has(letters);
}

/** Whether a key is one that somebody filled in: zeros, a short pattern again and again, or numbers in a row. */
export function isWeakKey(key: Uint8Array): boolean {
  if (new Set(key).size < LEAST_BYTES) return true;
  const steps = new Set(key.slice(1).map((byte, index) => byte - (key[index] ?? 0)));
  return steps.size === 1;
}

/** An empty one was not read, for whatever reason (secret-reader.ts). */
function faultOfWord(text: string): string | null {
  if (text === '') return null;
  if (isSampleSecret(text)) return SAMPLE;
  if (text.length < SHORTEST_SECRET) return `is shorter than ${SHORTEST_SECRET} characters`;
  return new Set(text).size < LEAST_CHARACTERS ? 'repeats a few characters' : null;
}

/** What is wrong with a client secret, or null. Koha itself makes keys of 36 characters. */
export function faultOfClientSecret(secret: Secret<string>, clientId: Secret<string>): string | null {
  const text = secret.reveal();
  if (text !== '' && text === clientId.reveal()) return 'is the same as client_id';
  return faultOfWord(text);
}

/** What is wrong with a webhook secret, or null. */
export function faultOfWebhookSecret(secret: Secret<string>): string | null {
  if (secret.reveal() === '') return null;
  if (isSampleSecret(secret.reveal())) return SAMPLE;
  try {
    return isWeakKey(parseWebhookSecret(secret.reveal())) ? NOT_RANDOM : null;
  } catch (error) {
    if (error instanceof RangeError) return `does not fit: ${error.message}`;
    throw error;
  }
}

/** What is wrong with a dashboard password, or null. */
export function faultOfPassword(secret: Secret<string>, user: string): string | null {
  const text = secret.reveal();
  if (text !== '' && text === user) return 'is the same as the user name';
  return faultOfWord(text);
}
