import { compile } from '@fastify/proxy-addr';
import type { Person } from './login.ts';

export interface ProxyLoginOptions {
  /** In lower case. */
  readonly header: string;
  /** Addresses and networks, separated by commas. */
  readonly from: string;
  readonly people: readonly Person[];
}

export type ProxyLoginAnswer =
  | { readonly kind: 'in'; readonly person: Person }
  /** The proxy has logged somebody in who is no user of the dashboard. */
  | { readonly kind: 'unknown' };

/** Answers for a request that comes from the proxy and names a user; null for all others, which need a password. */
export type ProxyLogin = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  peer: string | undefined,
) => ProxyLoginAnswer | null;

/**
 * Single sign-on by a proxy that has logged the user in and names them in a header. `peer` is the address that the connection
 * itself comes from, never one that a header says: whoever else sends the header is not believed. Roles and libraries are
 * those of the user of that name; a name that is none is refused.
 */
export function createProxyLogin({ header, from, people }: ProxyLoginOptions): ProxyLogin {
  const isProxy = compile(from.split(',').map((each) => each.trim()));
  const byName = new Map(people.map((person) => [person.user, { ...person, isByProxy: true }]));
  return (headers, peer) => {
    if (peer === undefined || peer === '' || !isProxy(peer, 0)) return null;
    const named = headers[header];
    if (named === undefined || named === '') return null;
    const person = typeof named === 'string' ? byName.get(named.trim()) : undefined;
    return person === undefined ? { kind: 'unknown' } : { kind: 'in', person };
  };
}
