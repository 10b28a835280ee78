import ipaddr from 'ipaddr.js';

/**
 * The part of an address that one guesser cannot change at will: an IPv4 address whole, of an IPv6 address the first
 * 64 bits (providers give each customer that many or more addresses). Text that is no address comes back as it is.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString().replace(/%.*$/, '')}/64`);
  return `${network.toString()}/64`;
}
