/** The setting as Fastify takes it. A number counts the proxies in front of us; Fastify's types know no number of hops. */
export function trustProxy(
  setting: boolean | string | number,
): boolean | string | ((address: string, hop: number) => boolean) {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting;
}
