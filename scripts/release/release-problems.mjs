import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, runCommand } from '../run-command.mjs';
import { changelogProblems } from './changelog.mjs';

/** Semantic versions, as tags and file names have them: a candidate has one suffix, and there is no build number. */
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?$/;

const read = (path) => readFileSync(join(projectRoot, path), 'utf8');

/** git in this checkout, whoever owns it: in a container, that is somebody else. */
export const git = (...args) => runCommand('git', ['-c', `safe.directory=${projectRoot}`, ...args]);

/** The version, which package.json alone states. */
export const versionHere = () => JSON.parse(read('package.json')).version;

/** Why what is checked out here cannot be published, one line each. */
export async function releaseProblems() {
  const version = versionHere();
  const { code, output } = await git('status', '--porcelain');
  const changed = output.trimEnd().split('\n').filter(Boolean);
  return [
    ...(VERSION.test(version) ? [] : [`package.json: "${version}" is no version of a release`]),
    ...(code === 0 ? [] : ['this is no git checkout']),
    ...(code === 0 && changed.length > 0 ? [`the checkout has changes: ${changed.join(', ')}`] : []),
    ...otherVersions(version),
    ...changelogProblems(read('CHANGELOG.md'), version),
  ];
}

/** The packages and the plugin of this repository that state another version than the root: each reports its own. */
function otherVersions(version) {
  const plugin = 'apps/koha-plugin/Koha/Plugin/Org/PatronPassport.pm';
  const [, ofPlugin] = /\$VERSION = '([\d.]+)'/.exec(read(plugin)) ?? [];

  const folders = JSON.parse(read('package.json')).workspaces.flatMap((pattern) =>
    pattern.endsWith('/*') ? foldersIn(pattern.slice(0, -2)) : [pattern],
  );
  const stated = [
    ...folders.map((folder) => [
      `${folder}/package.json`,
      JSON.parse(read(`${folder}/package.json`)).version,
      version,
    ]),
    // A candidate's plugin has the version that it is one of: Koha compares numbers alone.
    [plugin, ofPlugin, version.replace(/-.*/, '')],
  ];
  return stated.flatMap(([file, is, wanted]) =>
    is === wanted ? [] : [`${file}: version ${is} instead of ${wanted}`],
  );
}

const foldersIn = (parent) =>
  readdirSync(join(projectRoot, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${parent}/${name}`);
