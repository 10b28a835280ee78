/** The Koha releases whose behaviour the double can show, oldest first. */
export const releases = ['23.11', '24.05', '24.11', '25.05', '25.11', '26.05'] as const;
export type Release = (typeof releases)[number];

/** Whether `release` is `first` or a later one. */
export function isFrom(release: Release, first: Release): boolean {
  return releases.indexOf(release) >= releases.indexOf(first);
}

export function isRelease(value: unknown): value is Release {
  return releases.some((release) => release === value);
}
