import { type Library, windowAt } from '@passport/config';
import type { PauseSide, Pauses } from '@passport/queue/processes';
import { LibraryPaused } from './koha-failure.ts';

/** Milliseconds until the end of a library's pause on one side; null: it is not paused there. */
export type PauseLeft = (library: string, side: PauseSide) => number | null;

/** How long the pauses of libraries last from now on. */
export function buildPauseLeft(pauses: Pick<Pauses, 'of'>, now: () => number): PauseLeft {
  return (library, side) => {
    const found = pauses.of(library, side);
    return found === null ? null : found.untilMs - now();
  };
}

/** Throws LibraryPaused where the library is paused on one of these sides. */
export function assertNotPaused(pauseLeft: PauseLeft, library: string, sides: readonly PauseSide[]): void {
  for (const side of sides) {
    const leftMs = pauseLeft(library, side);
    if (leftMs !== null) throw new LibraryPaused(library, side, leftMs);
  }
}

/** What operators have paused by command, and what the configuration plans; of two the one that lasts longer. */
export function withWindows(
  pauses: Pick<Pauses, 'of'>,
  libraries: readonly Pick<Library, 'id' | 'windows'>[],
  now: () => number,
): Pick<Pauses, 'of'> {
  const windows = new Map(libraries.map((library) => [library.id, library.windows]));
  return {
    of(library, side) {
      const ordered = pauses.of(library, side);
      const planned = windowAt(windows.get(library) ?? [], side, now());
      return ordered !== null && ordered.untilMs >= (planned?.untilMs ?? 0) ? ordered : planned;
    },
  };
}
