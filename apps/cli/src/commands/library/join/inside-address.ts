import { BlockList, isIP } from 'node:net';

/** RFC 6890: addresses that are of this machine, this network, or of nobody. */
const INSIDE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  INSIDE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE.addSubnet(network, prefix, 'ipv6');

/**
 * Why a library may not have this address unless an operator says so; null: it may. What a name stands for may change at any time, and is not looked
 * up: a name that is this network's own by its form is enough to stop a mistake, and the operator sees the address.
 */
export function faultOfAddress(url: string): string | null {
  if (!URL.canParse(url)) return 'is not a URL';
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const version = isIP(host);
  const isInside =
    version === 0
      ? !host.includes('.') || /\.(?:localhost|local|internal|lan|home\.arpa)$/.test(host)
      : INSIDE.check(host, version === 4 ? 'ipv4' : 'ipv6');
  if (isInside) return 'is an address of an inner network';
  return protocol === 'https:' ? null : 'is not https: patron data would travel unprotected';
}
