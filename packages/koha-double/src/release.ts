/** The Koha releases whose behaviour the double can show, oldest first, with a version of each, as Koha calls itself. */
export const kohaVersions = {
  '23.11': '23.11.11.000',
  '24.05': '24.05.09.000',
  '24.11': '24.11.05.000',
  '25.05': '25.05.06.000',
  '25.11': '25.11.01.000',
  '26.05': '26.05.01.000',
} as const;
export type Release = keyof typeof kohaVersions;
export const releases = Object.keys(kohaVersions) as readonly Release[];

/** Whether `release` is `first` or a later one. */
export function isFrom(release: Release, first: Release): boolean {
  return releases.indexOf(release) >= releases.indexOf(first);
}

export function isRelease(value: unknown): value is Release {
  return releases.some((release) => release === value);
}

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
