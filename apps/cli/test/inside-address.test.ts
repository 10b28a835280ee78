import { expect, test } from '@jest/globals';
import { faultOfAddress, faultOfName } from '../src/commands/library/join/inside-address.ts';

// An address of IPv4 within one of IPv6: mapped (RFC 4291), compatible, translated (RFC 2765), by NAT64 (RFC 6052), 6to4 (RFC 3056).
test.each([
  ['::ffff:10.0.0.1', true],
  ['::ffff:203.0.113.7', false],
  ['::10.0.0.1', true],
  ['::203.0.113.7', false],
  ['::ffff:0:10.0.0.1', true],
  ['::ffff:0:203.0.113.7', false],
  ['64:ff9b::10.0.0.1', true],
  ['64:ff9b::a9fe:a9fe', true],
  ['64:ff9b::203.0.113.7', false],
  ['2002:a00:1::', true],
  ['2002:7f00:1:0:1::2', true],
  ['2002:cb00:7107::1', false],
  // an address of this machine, of nobody, of a network's own NAT64 (RFC 8215), of Teredo, of one network's card
  ['::', true],
  ['::1', true],
  ['64:ff9b:1::cb00:7107', true],
  ['2001:0:cb00:7107::1', true],
  ['fec0::1', true],
  ['fe80::1%eth0', true],
  ['2001:4860:4860::8888', false],
])('%s: of an inner network is %s, in a URL and behind a name', async (address, isInside) => {
  const url = URL.canParse(`https://[${address}]`) ? `https://[${address}]` : null;
  const faults = [
    ...(url === null ? [] : [faultOfAddress(url)]),
    await faultOfName('https://staff.midland.example.org', () => Promise.resolve([address])),
  ];
  expect(faults.map((fault) => fault !== null)).toEqual(faults.map(() => isInside));
});
