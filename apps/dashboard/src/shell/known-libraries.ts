import { type Consortium, type PlannedWindow, configWarnings } from '@passport/config';
import type { RetriedLibrary } from '@passport/queue/events';

/** A library as the configuration has it. */
export interface KnownLibrary {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** How its failed events are retried. */
  readonly retry: RetriedLibrary['retry'];
  /** Whether its copies are swept every night. */
  readonly isSwept?: boolean;
  /** Where its staff pages are; null: nobody has said. */
  readonly staffUrl?: string | null;
  /** Whether the loans of its visitors are counted. */
  readonly isCounted?: boolean;
  /** When it is planned to be paused. */
  readonly windows?: readonly PlannedWindow[];
  /** What is allowed in its configuration and probably not meant. */
  readonly warnings?: readonly LibraryWarning[];
}

export interface LibraryWarning {
  /** One line. */
  readonly text: string;
  /** The libraries that it names. */
  readonly libraries: readonly string[];
}

/** The libraries as pages show them, each with the warnings about its card patterns, which concern all the others. */
export function knownLibraries(consortium: Consortium): KnownLibrary[] {
  const warnings = configWarnings(consortium).filter(({ path }) => path.endsWith('.cards'));
  return consortium.libraries.map(({ id, name, enabled, retry, windows, refresh, koha, loans }, place) => ({
    id,
    name,
    enabled,
    retry,
    isSwept: (refresh?.sweep ?? null) !== null,
    staffUrl: koha.staffUrl,
    isCounted: loans !== null,
    windows,
    warnings: warnings
      .filter(({ path }) => path === `libraries[${place}].cards`)
      .map(({ warning, libraries }) => ({ text: `cards: ${warning}`, libraries })),
  }));
}
