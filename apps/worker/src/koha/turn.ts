/** A turn may be over in the middle of something only where that takes this much longer. */
const WITHIN_A_PAGE = 2;

export interface TurnTimes {
  /** After so long another library has its turn. */
  readonly turnMs: number;
  /** After so long nothing is waited for, whatever a library does: the next call ends the turn. */
  readonly lateMs: number;
}

/** One library's turn in the queue that all libraries share. */
export interface Turn {
  /** Throws `over` where others may have theirs: between two pages, and in the middle of one that takes long. */
  endIfOver(within: 'pages' | 'page'): void;
  /** Aborted with `over` where the turn has taken much longer than it may. */
  readonly signal: AbortSignal;
  /** It has ended by itself. */
  end(): void;
}

/** Begins a turn, which ends with what `over` makes. */
export function beginTurn(
  { turnMs, lateMs }: TurnTimes,
  monotonicNow: () => number,
  over: () => Error,
): Turn {
  const beganAt = monotonicNow();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(over()), lateMs);
  return {
    endIfOver(within) {
      if (monotonicNow() - beganAt >= turnMs * (within === 'page' ? WITHIN_A_PAGE : 1)) throw over();
    },
    signal: controller.signal,
    end: () => clearTimeout(timer),
  };
}
