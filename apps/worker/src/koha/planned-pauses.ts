import { type Library, windowAt } from '@passport/config';
import type { Pauses } from '@passport/queue';

/** What operators have paused by command, and what the configuration plans; of two the one that lasts longer. */
export function withWindows(
  pauses: Pick<Pauses, 'of'>,
  libraries: readonly Pick<Library, 'id' | 'windows'>[],
  now: () => number,
): Pick<Pauses, 'of'> {
  const windows = new Map(libraries.map((library) => [library.id, library.windows]));
  return {
    of(library, side) {
      const said = pauses.of(library, side);
      const planned = windowAt(windows.get(library) ?? [], side, now());
      return said !== null && said.untilMs >= (planned?.untilMs ?? 0) ? said : planned;
    },
  };
}
