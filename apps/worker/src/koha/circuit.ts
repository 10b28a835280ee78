/** What a circuit says to a call: go, go as the one that tries whether the library is back, or do not. */
export type Passage = 'pass' | 'probe' | 'refuse';

export type Circuit = ReturnType<typeof buildCircuit>;

/** Failures in a row that open it. Fewer, and one restarting Koha worker would; more, and a desk waits too often. */
const FAILURES_TO_OPEN = 5;
/**
 * First and longest time until it is tried again: back within seconds of the library's return, also at night. A Koha that fails
 * half of its calls is refused for five in a row about every sixtieth call, and is not down: it is tried soon.
 */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;
/**
 * A Koha that restarts, or comes and goes, is tried each second for so long before the pauses grow further. They are drawn at
 * random, or a library that alternately fails and works would always be tried while it fails.
 */
const QUICK_MS = 10_000;
const LONGEST_QUICK_PAUSE_MS = 1_000;

/**
 * Builds the breaker of one library in one worker process, over a monotonic clock in milliseconds; `random` is in [0, 1). It decides; the
 * caller calls, and reports how it went with the passage it was given: a call that set out before the circuit opened must not pass for the
 * one that tries. Not a library's breaker: docs/decisions/0004-circuit-breaker.md says why.
 */
export function buildCircuit(
  monotonicNow: () => number,
  onChange: (isOpen: boolean) => void,
  random: () => number,
  longestPauseMs = LONGEST_PAUSE_MS,
) {
  let failures = 0;
  let openedAt: number | null = null;
  let longestMs = FIRST_PAUSE_MS;
  let dueAt = 0;
  let probing = false;

  const pause = (): void => {
    dueAt = monotonicNow() + longestMs * (0.5 + random() / 2);
  };
  const open = (): void => {
    openedAt = monotonicNow();
    longestMs = FIRST_PAUSE_MS;
    pause();
    onChange(true);
  };
  const isDue = (): boolean => openedAt !== null && !probing && monotonicNow() >= dueAt;

  return {
    /** Whether a call may be made. Whoever gets `probe` must report how it went, or nobody else ever tries. */
    enter(): Passage {
      if (openedAt === null) return 'pass';
      if (!isDue()) return 'refuse';
      probing = true;
      return 'probe';
    },
    succeeded(): void {
      failures = 0;
      probing = false;
      if (openedAt === null) return;
      openedAt = null;
      onChange(false);
    },
    failed(passage: Passage): void {
      failures += 1;
      if (passage === 'probe') probing = false;
      if (openedAt === null) {
        if (failures >= FAILURES_TO_OPEN) open();
      } else if (passage === 'probe') {
        const isQuick = monotonicNow() - openedAt < QUICK_MS;
        longestMs = Math.min(2 * longestMs, isQuick ? LONGEST_QUICK_PAUSE_MS : longestPauseMs);
        pause();
      }
    },
    /** The call ended without news of the library: we were stopped, or never sent it. */
    abandoned(passage: Passage): void {
      if (passage === 'probe') probing = false;
    },
    get isOpen() {
      return openedAt !== null;
    },
    /** Whether it is open and may be tried again now. */
    get isDue() {
      return isDue();
    },
  };
}
