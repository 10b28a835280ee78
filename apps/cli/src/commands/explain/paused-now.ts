import { type Library, windowAt } from '@passport/config';
import { type PauseSide, readControl } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** A library that is paused at this moment. */
export interface PausedLibrary {
  readonly library: string;
  readonly side: PauseSide;
  readonly until_ms: number;
  readonly reason: string;
  /** Who has said so; null: it is planned in the configuration (`windows`). */
  readonly by: string | null;
}

/** Looks up whether a library is paused on a side; where it is twice, the pause that lasts longer. */
export type PausedNow = (library: Pick<Library, 'id' | 'windows'>, side: PauseSide) => PausedLibrary | null;

/** Reads what operators have paused, which counts with what the configuration plans, as for workers. */
export async function readPausedNow(redis: Redis, nowMs: number): Promise<PausedNow> {
  const { pauses } = await readControl(redis);
  return ({ id: library, windows }, side) => {
    const said = pauses.find(
      (pause) => pause.library === library && pause.side === side && pause.until_ms > nowMs,
    );
    const planned = windowAt(windows, side, nowMs);
    if (said !== undefined && said.until_ms >= (planned?.untilMs ?? 0))
      return { library, side, until_ms: said.until_ms, reason: said.reason, by: said.by };
    return planned === null
      ? null
      : { library, side, until_ms: planned.untilMs, reason: planned.reason, by: null };
  };
}

export const pausedJson = ({ library, side, until_ms: untilMs, reason, by }: PausedLibrary) => ({
  library,
  as: side,
  until: new Date(untilMs).toISOString(),
  reason,
  by,
});

export const pausedText = ({ library, side, until_ms: untilMs, reason, by }: PausedLibrary): string =>
  `${library} as ${side} library until ${new Date(untilMs).toISOString()}, ` +
  `${by === null ? 'as planned in the configuration' : `by ${by}`}: ${reason}`;
