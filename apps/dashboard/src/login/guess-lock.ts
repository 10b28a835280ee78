/** How guessing is slowed down. */
export interface GuessLockOptions {
  /** Wrong tries before the first lock. */
  readonly most: number;
  /** The first lock; each further wrong try doubles it, up to an hour. */
  readonly lockMs: number;
  /** Wrong tries are forgotten after this long without another one, and without a lock. */
  readonly forgetMs: number;
  readonly now: () => number;
}

/** Counts wrong tries by a key, such as an address or a user. Nothing outlives the process. */
export interface GuessLock {
  /** Milliseconds until the key may try again; 0 when it may now. */
  lockedForMs(key: string): number;
  failed(key: string): void;
  succeeded(key: string): void;
}

interface Tries {
  readonly count: number;
  /** The time of the last try, where it locked nothing. */
  readonly lockedUntilMs: number;
}

const LONGEST_LOCK_MS = 3_600_000;
/** An attacker with very many addresses must not fill the memory: the oldest are forgotten first. */
const MOST_KEYS = 10_000;

/** A lock that opens by itself: the wait doubles with each wrong try, so that guessing is hopeless and typos are not. */
export function createGuessLock({ most, lockMs, forgetMs, now }: GuessLockOptions): GuessLock {
  const tries = new Map<string, Tries>();
  const current = (key: string): Tries | undefined => {
    const found = tries.get(key);
    // A lock can be longer than that: who waits one out has still guessed.
    if (found === undefined || now() <= found.lockedUntilMs + forgetMs) return found;
    tries.delete(key);
    return undefined;
  };
  return {
    lockedForMs: (key) => Math.max(0, (current(key)?.lockedUntilMs ?? 0) - now()),
    failed(key) {
      const count = (current(key)?.count ?? 0) + 1;
      const lock = count < most ? 0 : Math.min(lockMs * 2 ** (count - most), LONGEST_LOCK_MS);
      tries.delete(key);
      tries.set(key, { count, lockedUntilMs: now() + lock });
      const [oldest] = tries.keys();
      if (tries.size > MOST_KEYS && oldest !== undefined) tries.delete(oldest);
    },
    succeeded: (key) => void tries.delete(key),
  };
}
