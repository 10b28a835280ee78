import { type Fault, inLibrary } from './fault.ts';
import { validEnvironment } from './valid-file.ts';

/** Files that are wrong in their secret. */
export const SECRET_FAULTS: Readonly<Record<string, Fault>> = {
  'a secret in the file': {
    break: inLibrary('koha', 'client_secret')('kept-out'),
    path: 'libraries[0].koha.client_secret',
    problem: /does not fit/,
    allowed: /\{env: NAME\} or \{file: PATH\}; never the secret itself/,
  },
  'an unknown variable': {
    break: inLibrary('koha', 'client_secret')({ env: 'MIDLAND_CLIENT_SECRT' }),
    path: 'libraries[0].koha.client_secret',
    problem: /the environment has no MIDLAND_CLIENT_SECRT, did you mean MIDLAND_CLIENT_SECRET\?/,
    allowed: /MIDLAND_CLIENT_SECRT_FILE/,
  },
  'a secret file that cannot be read': {
    break: inLibrary('koha', 'client_secret')({ file: '/run/secrets/gone' }),
    path: 'libraries[0].koha.client_secret',
    problem: /the file \/run\/secrets\/gone cannot be read \(ENOENT\)/,
  },
  'an empty secret': {
    break: inLibrary('koha', 'client_secret')({ env: 'EMPTY' }),
    env: { EMPTY: '' },
    path: 'libraries[0].koha.client_secret',
    problem: /the environment has no EMPTY/,
  },
  'a secret and its file at once': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET_FILE: '/run/secrets/x' },
    path: 'libraries[0].koha.client_secret',
    problem: /both set/,
  },
  'T-22 a sample client secret': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'koha' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 a sample client secret with digits and case': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'Change-Me123' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 a placeholder that nobody filled in': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: '${MIDLAND_SECRET}' },
    path: 'libraries[0].koha.client_secret',
    problem: /sample secret/,
  },
  'T-22 id and secret alike': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: '6c1d-midland' },
    path: 'libraries[0].koha.client_secret',
    problem: /same as client_id/,
  },
  'T-22 the webhook secret of the specification': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /sample secret/,
  },
  'a webhook secret that is too short': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.from('0123456789abcdefghijklm').toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /24 to 64 bytes, this one has 23/,
  },
  'a webhook secret that is too long': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.from('abcde'.repeat(13)).toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /24 to 64 bytes, this one has 65/,
  },
  'a webhook secret without whsec_': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: Buffer.from('abcdef'.repeat(5)).toString('base64') },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /"whsec_" followed by base64/,
  },
  'a webhook secret that is not base64': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: 'whsec_not*base64*at*all*not*base64*at*all' },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /base64/,
  },
  'a webhook secret of zeros': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /not made at random/,
  },
  'a webhook secret that repeats a word': {
    break: () => undefined,
    env: { MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'koha').toString('base64')}` },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /not made at random/,
  },
  'a webhook secret that counts': {
    break: () => undefined,
    env: {
      MIDLAND_WEBHOOK_SECRET: `whsec_${Buffer.from(Array.from({ length: 32 }, (_, byte) => byte)).toString('base64')}`,
    },
    path: 'libraries[0].webhook_secrets[0]',
    problem: /not made at random/,
  },
  "another library's webhook secret": {
    break: () => undefined,
    env: { RIVERSIDE_WEBHOOK_SECRET: validEnvironment()['MIDLAND_WEBHOOK_SECRET'] },
    path: 'libraries[1].webhook_secrets[0]',
    problem: /is a secret of libraries\[0\], too/,
  },
  "another Koha's client secret": {
    break: () => undefined,
    env: { LAKESIDE_CLIENT_SECRET: validEnvironment()['MIDLAND_CLIENT_SECRET'] },
    path: 'libraries[2].koha.client_secret',
    problem: /is a secret of libraries\[0\], too/,
  },
  'a short client secret': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'k3pt-7f3e9a' },
    path: 'libraries[0].koha.client_secret',
    problem: /shorter than 12 characters/,
  },
  'a client secret of few characters': {
    break: () => undefined,
    env: { MIDLAND_CLIENT_SECRET: 'k3k3k3k3k3k3k3k3' },
    path: 'libraries[0].koha.client_secret',
    problem: /repeats a few characters/,
  },
  'a webhook secret twice': {
    break: inLibrary('webhook_secrets')([
      { env: 'MIDLAND_WEBHOOK_SECRET' },
      { env: 'MIDLAND_WEBHOOK_SECRET' },
    ]),
    path: 'libraries[0].webhook_secrets[1]',
    problem: /same as one before it/,
  },
  'one webhook secret without its list': {
    break: inLibrary('webhook_secrets')({ env: 'MIDLAND_WEBHOOK_SECRET' }),
    path: 'libraries[0].webhook_secrets',
    problem: /must be a list, not a mapping/,
  },
};
