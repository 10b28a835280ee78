import { expect, test } from '@jest/globals';
import { isOwnRequest } from '../src/login/require-login.ts';

const host = 'passport.example.org:8081';

test.each([
  ['our own page', { origin: `https://${host}`, secFetchSite: 'same-origin' }, true],
  ['our own page in an older browser', { origin: `http://${host}`, secFetchSite: undefined }, true],
  ['a program', { origin: undefined, secFetchSite: undefined }, true],
  ['another site', { origin: 'https://evil.example', secFetchSite: 'cross-site' }, false],
  ['a sister host', { origin: 'https://x.example.org', secFetchSite: 'same-site' }, false],
  ['an address typed by hand', { origin: undefined, secFetchSite: 'none' }, false],
  ['another site in an older browser', { origin: 'https://evil.example', secFetchSite: undefined }, false],
  ['another port', { origin: 'https://passport.example.org', secFetchSite: undefined }, false],
  ['a sandboxed frame', { origin: 'null', secFetchSite: undefined }, false],
])('a write from %s: %p is %p', (_name, headers, expected) => {
  expect(isOwnRequest({ ...headers, host })).toBe(expected);
});
