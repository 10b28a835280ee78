import { type PlannedWindow, type SidePause, pausesAt } from '@passport/config';
import { type Pause, readControl } from '@passport/queue/processes';
import type { Redis } from '@passport/runtime';

/** A pause that lasts, by command or as planned. */
export type ShownPause = SidePause;

/** The pauses by command that are not over yet. */
export async function readPauses(redis: Redis, nowMs: number): Promise<readonly Pause[]> {
  return (await readControl(redis)).pauses.filter(({ until_ms: untilMs }) => untilMs > nowMs);
}

/** What a library is paused as at this moment; where it is twice, until the later end. */
export function pausesOf(
  library: { readonly id: string; readonly windows?: readonly PlannedWindow[] },
  ordered: readonly Pause[],
  nowMs: number,
): readonly ShownPause[] {
  const own = ordered.filter((each) => each.library === library.id);
  return pausesAt(library.windows ?? [], own, nowMs);
}
