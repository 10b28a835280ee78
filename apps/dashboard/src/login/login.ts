import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { networkOf } from '@passport/runtime';
import { type GuessLock, createGuessLock } from './guess-lock.ts';

/** The lending libraries that somebody may see; `all` also has what belongs to no library. */
export type Scope = 'all' | readonly string[];

/** Whether somebody may see this library. */
export function sees({ libraries }: { readonly libraries: Scope }, library: string): boolean {
  return libraries === 'all' || libraries.includes(library);
}

/** What somebody may do: an operator looks and acts, a viewer looks. */
export type Role = 'operator' | 'viewer';

/** The logged-in user. */
export interface Person {
  readonly user: string;
  readonly role: Role;
  /** The lending libraries whose scans they see. */
  readonly libraries: Scope;
  /** A proxy has logged them in, and logs them out. */
  readonly isByProxy?: boolean;
}

export interface Account extends Person {
  readonly password: string;
}

export type LoginAnswer =
  | { readonly kind: 'in'; readonly person: Person }
  /** No credentials came. */
  | { readonly kind: 'unauthenticated' }
  /** Wrong ones came; `user` only when there is such a user, since people type passwords into the wrong field. */
  | { readonly kind: 'wrong'; readonly user: string | null }
  | { readonly kind: 'locked'; readonly user: string | null; readonly retryAfterSeconds: number };

/** Answers for one request, by its `Authorization` header and the address it came from. */
export type Login = (authorization: string | undefined, address: string) => LoginAnswer;

const MINUTE_MS = 60_000;
const BY_ADDRESS = { most: 5, lockMs: MINUTE_MS, forgetMs: 15 * MINUTE_MS };
/**
 * Whoever has logged in from an address stays in, whatever is guessed at other users from the same address (behind a
 * proxy that is not trusted all have one). Guesses at this very pair are counted by themselves.
 */
const BY_PAIR = BY_ADDRESS;
const KNOWN_MS = 12 * 60 * MINUTE_MS;
const MOST_KNOWN = 1_000;

/** What is remembered of tries to log in. */
export interface Guesses {
  readonly byAddress: GuessLock;
  readonly byPair: GuessLock;
  /** Until when whoever has logged in from an address stays in. */
  readonly trusted: Map<string, number>;
}

/** Outlives every configuration of the process: a reload must not hand a guesser new tries. */
export const createGuesses = (now: () => number): Guesses => ({
  byAddress: createGuessLock({ ...BY_ADDRESS, now }),
  byPair: createGuessLock({ ...BY_PAIR, now }),
  trusted: new Map(),
});

/**
 * HTTP Basic over a fixed list of accounts. Every account is compared, by digests of equal length and in constant
 * time; who guesses waits, by address, and while locked the right password is refused like a wrong one. Guesses never lock
 * a user at other addresses: that would let any stranger keep the operators out, and against many addresses the
 * passwords themselves stand (12 characters at least, made at random by compose).
 */
export function createLogin(
  accounts: readonly Account[],
  now: () => number,
  { byAddress, byPair, trusted }: Guesses = createGuesses(now),
): Login {
  const digest = buildDigest();
  const known = accounts.map(({ user, role, libraries, password }) => ({
    person: { user, role, libraries },
    user: digest(user),
    both: digest(`${user}:${password}`),
  }));

  return (authorization, address) => {
    const given = parseBasic(authorization);
    if (given === null) return { kind: 'unauthenticated' };
    const network = networkOf(address);
    const user = pick(known, (each) => timingSafeEqual(each.user, digest(given.user)))?.person.user ?? null;
    const pair = `${network} ${user ?? ''}`;
    const isTrusted = (trusted.get(pair) ?? 0) > now();
    const lockedForMs = isTrusted ? byPair.lockedForMs(pair) : byAddress.lockedForMs(network);
    if (lockedForMs > 0) return { kind: 'locked', user, retryAfterSeconds: Math.ceil(lockedForMs / 1_000) };

    const both = digest(`${given.user}:${given.password}`);
    const account = pick(known, (each) => timingSafeEqual(each.both, both));
    if (account === undefined) {
      byAddress.failed(network);
      if (isTrusted) byPair.failed(pair);
      return { kind: 'wrong', user };
    }
    // Every page of somebody who is in comes here again: that must not forgive what others guess meanwhile.
    if (!isTrusted) byAddress.succeeded(network);
    remember(trusted, pair, now() + KNOWN_MS);
    return { kind: 'in', person: account.person };
  };
}

/** Keyed anew in each process, so that digests reveal nothing about passwords. */
function buildDigest(): (text: string) => Buffer {
  const key = randomBytes(32);
  return (text) => createHmac('sha256', key).update(text).digest();
}

/** Like `find`, but always looks at every one. */
function pick<T>(all: readonly T[], matches: (each: T) => boolean): T | undefined {
  return all.reduce<T | undefined>((found, each) => (matches(each) ? each : found), undefined);
}

function remember(trusted: Map<string, number>, pair: string, untilMs: number): void {
  trusted.delete(pair);
  trusted.set(pair, untilMs);
  const [oldest] = trusted.keys();
  if (trusted.size > MOST_KNOWN && oldest !== undefined) trusted.delete(oldest);
}

/** RFC 7617: `Basic` and base64 of user, colon, password, in UTF-8. */
function parseBasic(authorization: string | undefined): { user: string; password: string } | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
