import type { Control, Pause, PauseSide } from './control.ts';

/** A pause of which only its end and its reason matter. */
export interface PausedNow {
  readonly untilMs: number;
  readonly reason: string;
}

/** What is paused at this moment, as far as operators have said so. */
export interface Pauses {
  /** Takes what operators have said by now. */
  set(control: Pick<Control, 'pauses'>): void;
  of(library: string, side: PauseSide): PausedNow | null;
}

/** Keeps the pauses of all libraries, each until its own end: nobody has to end it. */
export function buildPauses(now: () => number): Pauses {
  let pauses: ReadonlyMap<string, Pause> = new Map();
  const nameOf = (library: string, side: PauseSide): string => `${library} ${side}`;
  return {
    set(control) {
      pauses = new Map(control.pauses.map((pause) => [nameOf(pause.library, pause.side), pause]));
    },
    of(library, side) {
      const pause = pauses.get(nameOf(library, side));
      if (pause === undefined || pause.until_ms <= now()) return null;
      return { untilMs: pause.until_ms, reason: pause.reason };
    },
  };
}
