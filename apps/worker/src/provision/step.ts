import type { KohaClient } from '@passport/koha-client';
import type { PauseSide } from '@passport/queue/processes';
import type { Libraries } from '../koha/libraries.ts';
import { readTwice, repeatAtOnce } from '../koha/transient.ts';
import type { ProvisionContext } from './context.ts';
import type { JobLock } from './scan.ts';
import type { Locks } from './with-patron-lock.ts';

/** How a step reaches the outside, under the locks of its job and of its patron. */
export interface Step extends JobLock, Locks {
  /** Called before a write that is not noted in the job by itself. Throws LockLost or ScanCancelled. */
  assertWanted(): Promise<void>;
  /** Calls a library's Koha. Throws KohaError or LibraryClosed. */
  readonly call: Libraries['call'];
  /**
   * Makes one read, again where an error of the moment came back: a try needs up to four reads before it may write, so that at
   * a Koha that fails half of its calls one try of sixteen would get that far (docs/decisions/0006-waiting-and-attempts.md). `side`: as what the
   * library is read, by default as the lending one. Throws KohaError or LibraryClosed.
   */
  read<T>(library: string, read: Read<T>, side?: PauseSide): Promise<T>;
  /** Half of each pause is jitter, so that whoever was in our way is not met again. */
  pauseAfter(tries: number): Promise<void>;
  readonly monotonicNow: () => number;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_600;

type Read<T> = (koha: KohaClient, limits: { readonly signal: AbortSignal }) => Promise<T>;

export function openStep(
  { lock, patronLock }: Locks,
  { libraries, pause, monotonicNow, random }: ProvisionContext,
): Step {
  const { signal } = patronLock;
  return {
    lock,
    patronLock,
    signal,
    assertHeld: () => patronLock.assertHeld(),
    assertWanted: () => lock.assertWanted(),
    call: (library, work) => libraries.call(library, work),
    read: (library, read, side) =>
      repeatAtOnce(() => readTwice(() => libraries.call(library, (koha) => read(koha, { signal }), side)), {
        signal,
        pause,
        monotonicNow,
      }),
    pauseAfter(tries) {
      const longest = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      return pause(Math.round(longest * (0.5 + random() / 2)));
    },
    monotonicNow,
  };
}
