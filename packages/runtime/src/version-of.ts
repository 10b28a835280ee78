import { readFileSync } from 'node:fs';

/** The version in a `package.json`. Throws when there is none: it is shipped beside what runs. */
export function versionOf(packageFile: URL): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version?: unknown };
  if (typeof version !== 'string') throw new TypeError('the package.json has no version');
  return version;
}
