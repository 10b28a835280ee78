import { BlockList, isIP } from 'node:net';
import type { CliDeps } from '../../../program/index.ts';

const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** RFC 6890: addresses that are of this machine, this network, or of nobody, and those of Teredo, which hide one of IPv4. */
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
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  INSIDE.ipv6.addSubnet(network, prefix, 'ipv6');

/** How an address of IPv6 begins that stands for one of IPv4, and the group at which that one begins. */
const EMBEDDING = [
  ['0:0:0:0:0:0:', 6],
  ['0:0:0:0:0:ffff:', 6],
  ['0:0:0:0:ffff:0:', 6],
  ['64:ff9b:0:0:0:0:', 6],
  ['2002:', 1],
] as const;

/** The eight groups of an address of IPv6, without leading zeros. */
function groupsOf(address: string): readonly string[] {
  const [before = '', after] = hostOf(`https://[${address}]`).split('::');
  const [head, tail] = [before, after ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  return [...(head ?? []), ...Array.from({ length: zeros }, () => '0'), ...(tail ?? [])];
}

function isInside(address: string): boolean {
  const [plain = ''] = address.split('%');
  if (isIP(plain) !== 6) return INSIDE.ipv4.check(plain, 'ipv4');
  const groups = groupsOf(plain);
  const found = EMBEDDING.find(([prefix]) => groups.join(':').startsWith(prefix));
  if (found === undefined) return INSIDE.ipv6.check(plain, 'ipv6');
  const bytes = groups.slice(found[1], found[1] + 2).map((group) => Number.parseInt(group, 16));
  return INSIDE.ipv4.check(bytes.flatMap((two) => [two >> 8, two & 0xff]).join('.'), 'ipv4');
}

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
