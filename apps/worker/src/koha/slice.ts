import type { CopiesContext, WorkContext } from '../work-context.ts';
import type { SweepCall } from './sweep-calls.ts';

/** A slice may be over in the middle of something only where that takes this much longer. */
const WITHIN_A_PAGE = 2;

export interface SliceTimes {
  /** After so long the job gives up its place to the next library. */
  readonly sliceMs: number;
  /** After so long nothing is waited for, whatever a library does: the next call ends the slice. */
  readonly lateMs: number;
}

/** A part of the work for one library, in the queue that all libraries share. */
export interface Slice {
  /** Throws SweepPaused where it has lasted long enough: between two pages, and in the middle of one that takes long. */
  endIfOver(within: 'pages' | 'page'): void;
  /** Aborted with SweepPaused where the slice has taken much longer than it may. */
  readonly signal: AbortSignal;
  /** It has ended by itself. */
  end(): void;
}

/** What a slice of the work for one library is done with. */
export interface SliceContext extends CopiesContext {
  readonly slice: Slice;
  /** The calls of this slice, as long as the signal allows. */
  readonly callsUntil: (signal: AbortSignal) => SweepCall;
  /** The process stops. */
  readonly stopping: AbortSignal;
}

/** Begins a slice. */
export function beginSlice(
  { sliceMs, lateMs }: SliceTimes,
  { monotonicNow, now }: Pick<CopiesContext, 'monotonicNow' | 'now'>,
): Slice {
  const beganAt = monotonicNow();
  const controller = new AbortController();
  const over = (): SweepPaused => new SweepPaused(now());
  const timer = setTimeout(() => controller.abort(over()), lateMs);
  return {
    endIfOver(within) {
      if (monotonicNow() - beganAt >= sliceMs * (within === 'page' ? WITHIN_A_PAGE : 1)) throw over();
    },
    signal: controller.signal,
    end: () => clearTimeout(timer),
  };
}

/**
 * Ends a run of a sweep for now: what it has done is saved, its job goes on from `untilMs` (in ms since 1970) without an attempt less,
 * and other libraries are served meanwhile. Thrown where a slice is over, and where a limit of the lending library leaves nothing
 * to do until then.
 */
export class SweepPaused extends Error {
  override readonly name = 'SweepPaused';
  readonly untilMs: number;

  constructor(untilMs: number) {
    super('the sweep goes on later');
    this.untilMs = untilMs;
  }
}

/** Who is paused is looked at again so often: a pause can be ended before its time. */
const PAUSED_MOST_MS = 3_600_000;

/** Throws SweepPaused where the library is paused on either side. */
export function assertNoPause(
  library: string,
  { pauseLeft, now }: Pick<WorkContext, 'pauseLeft' | 'now'>,
): void {
  const leftMs = Math.max(pauseLeft(library, 'home') ?? 0, pauseLeft(library, 'lending') ?? 0);
  if (leftMs > 0) throw new SweepPaused(now() + Math.min(leftMs, PAUSED_MOST_MS));
}
