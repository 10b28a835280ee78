import { type Consortium, configWarnings } from '@passport/config';
import type { KnownLibrary } from '../overview/read-overview.ts';

/** The libraries as the front page shows them, each with the warnings about its card patterns, which concern all the others. */
export function knownLibraries(consortium: Consortium): KnownLibrary[] {
  const warnings = configWarnings(consortium).filter(({ path }) => path.endsWith('.cards'));
  return consortium.libraries.map(({ id, name, enabled, windows }, place) => ({
    id,
    name,
    enabled,
    windows,
    warnings: warnings
      .filter(({ path }) => path === `libraries[${place}].cards`)
      .map(({ warning, libraries }) => ({ text: `cards: ${warning}`, libraries })),
  }));
}
