import { compile } from '@fastify/proxy-addr';

/** The setting as Fastify takes it. A number counts the proxies in front of us; Fastify's types know no number of hops. */
export function trustProxy(
  setting: boolean | string | number,
): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}

/**
 * Whether a connection from an address is a trusted proxy's, by the setting `TRUST_PROXY`. A number of hops, or `true`,
 * trusts whoever connects.
 */
export function buildProxyTest(setting: boolean | string | number): (address: string) => boolean {
  if (typeof setting !== 'string') return () => setting === true || Number(setting) > 0;
  const trusts = compile(setting.split(',').map((each) => each.trim()));
  return (address) => address !== '' && trusts(address, 0);
}

/**
 * Whether all clients may have one address, that of a proxy or of a container engine: none is trusted, and whoever listens on this machine
 * alone has no such thing in front of it.
 */
export const mayShareAddress = (setting: boolean | string | number, host: string): boolean =>
  setting === false && !/^(?:127\.|::1$|localhost$)/.test(host);
