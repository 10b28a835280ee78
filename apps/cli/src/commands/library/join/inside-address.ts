import { BlockList, isIP } from 'node:net';
import type { CliDeps } from '../../../program/index.ts';

/** RFC 6890: addresses that are of this machine, this network, or of nobody. */
// A list for each: one with the IPv4 addresses in IPv6 takes each of IPv4 for one of these.
const INSIDE = { ipv4: new BlockList(), ipv6: new BlockList() };
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
  INSIDE.ipv4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE.ipv6.addSubnet(network, prefix, 'ipv6');

function isInside(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return INSIDE[family].check(address, family);
}

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** Why a library may not have this address, by its form, unless an operator says so; null: it may. {@link faultOfName} looks its name up. */
export function faultOfAddress(url: string): string | null {
  if (!URL.canParse(url)) return 'is not a URL';
  const host = hostOf(url);
  const isOurs =
    isIP(host) === 0
      ? !host.includes('.') || /\.(?:localhost|local|internal|lan|home\.arpa)$/.test(host)
      : isInside(host);
  if (isOurs) return 'is an address of an inner network';
  return new URL(url).protocol === 'https:' ? null : 'is not https: patron data would travel unprotected';
}

/**
 * The same of what its name stands for now. A name may stand for something else tomorrow: this stops a mistake and a clumsy attack, and a network that must
 * not be reached from the service is kept from it by a firewall (docs/security.md).
 */
export async function faultOfName(url: string, lookup: CliDeps['lookup']): Promise<string | null> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return null;
  // A name that stands for nothing is one that cannot be reached, which is found where its Koha is tried.
  const addresses = await lookup(host).catch((): readonly string[] => []);
  return addresses.some(isInside) ? `${host} stands for an address of an inner network` : null;
}
