import { type PlannedWindow, windowAt } from '@passport/config';
import { PAUSE_SIDES, type Pause, readControl } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** A pause that lasts, by command or as planned. */
export type ShownPause = Pick<Pause, 'side' | 'until_ms' | 'reason'>;

/** The pauses by command that are not over yet. */
export async function readPauses(redis: Redis, nowMs: number): Promise<readonly Pause[]> {
  return (await readControl(redis)).pauses.filter(({ until_ms: untilMs }) => untilMs > nowMs);
}

/** What a library is paused as at this moment; where it is twice, until the later end. */
export function pausesOf(
  library: { readonly id: string; readonly windows?: readonly PlannedWindow[] },
  said: readonly Pause[],
  nowMs: number,
): readonly ShownPause[] {
  return PAUSE_SIDES.flatMap((side) => {
    const planned = windowAt(library.windows ?? [], side, nowMs);
    const pause = said.find((each) => each.library === library.id && each.side === side);
    if (pause !== undefined && pause.until_ms >= (planned?.untilMs ?? 0)) return [pause];
    return planned === null ? [] : [{ side, until_ms: planned.untilMs, reason: planned.reason }];
  });
}
