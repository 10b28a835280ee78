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
export function isSampleSecret(text: string): boolean {
  if (text === PUBLISHED_WEBHOOK_SECRET) return true;
  if (/^(.)\1*$/u.test(text) || /^[<[{$].*[>\]}]$/.test(text)) return true;
  const letters = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/\d+$/, '');
  return letters === '' ? text.length < 16 : SAMPLES.has(letters);
}
