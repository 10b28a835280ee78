import { compile } from '@fastify/proxy-addr';

/**
 * Whether a connection from an address is a trusted proxy's, by the setting `TRUST_PROXY`. A number of hops, or `true`,
 * trusts whoever connects.
 */
export function buildProxyTest(setting: boolean | string | number): (address: string) => boolean {
  if (typeof setting !== 'string') return () => setting === true || Number(setting) > 0;
  const trusts = compile(setting.split(',').map((each) => each.trim()));
  return (address) => address !== '' && trusts(address, 0);
}
