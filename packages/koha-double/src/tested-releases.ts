import { type Release, releases } from './release.ts';

/** That of most libraries, and of a double that is not told another one. */
const CURRENT: Release = '24.11';

/**
 * The releases that tests repeat themselves on: each commit the oldest, the current and the newest one, which are on both sides of
 * what differs between releases; all where `nightly` is set (`NIGHTLY` in the environment, CONTRIBUTING.md). Oldest first.
 */
export function releasesToTest(nightly: string | undefined): readonly Release[] {
  if ((nightly ?? '') !== '') return releases;
  return releases.filter((release) => [releases[0], CURRENT, releases.at(-1)].includes(release));
}

/** What {@link releasesToTest} comes to in this process. */
export const testedReleases = releasesToTest(process.env['NIGHTLY']);
