// `npm run release [-- FOLDER]`: everything that a version is published as, in FOLDER (release/VERSION): plugin, Debian package,
// images, lists of what is in them (SBOM), checksums, alerts, dashboard, examples, notes.
// docs/decisions/0042-a-release-is-one-command.md
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sectionOf } from './release/changelog.mjs';
import { git, releaseProblems, versionHere } from './release/release-problems.mjs';
import { buildImages, prepareImages } from './release/images.mjs';
import { writeSums } from './release/sums.mjs';
import { projectRoot, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';
import { has } from './system-packages.mjs';

const USAGE = `npm run release -- [FOLDER] [--check] [--no-images | --only-images] [--push] [--registry NAME]
  FOLDER         where to; it must be empty (release/VERSION)
  --check        only say what keeps this commit from being published
  --no-images    leave the images out
  --only-images  nothing but the images and their digests
  --push         push the images to the registry instead of writing them as files
  --registry     its name and owner, such as ghcr.io/ACCOUNT (localhost)
`;

/** One line for each thing that is wrong, and the end. */
function refuse(problems) {
  for (const problem of problems) say(problem);
  process.exit(1);
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        check: { type: 'boolean', default: false },
        'no-images': { type: 'boolean', default: false },
        'only-images': { type: 'boolean', default: false },
        push: { type: 'boolean', default: false },
        registry: { type: 'string', default: 'localhost' },
      },
    });
    const images = !values['no-images'];
    if (positionals.length > 1) throw new Error('one folder, please');
    if (values['only-images'] && !images) throw new Error('--no-images and --only-images leave nothing');
    return { ...values, images, files: !values['only-images'], folder: positionals[0] };
  } catch (error) {
    say(error.message);
    say(USAGE);
    return process.exit(2);
  }
}

const options = readOptions();
const version = versionHere();
const problems = await releaseProblems();
if (options.check) {
  if (problems.length > 0) refuse(problems);
  console.log(`${version} can be published`);
  process.exit(0);
}
if (problems.length > 0) refuse(problems);

const folder = resolve(options.folder ?? join(projectRoot, 'release', version));
const images = options.images ? await prepareImages() : { problems: [] };
const unmet = [
  ...(existsSync(folder) && readdirSync(folder).length > 0
    ? [`${folder} is not empty: what is in it would be published, too`]
    : []),
  ...(options.files ? ['dpkg-deb', 'perl', 'git'] : [])
    .filter((program) => !has(program))
    .map((program) => `${program} is not on this machine`),
  ...images.problems,
];
if (unmet.length > 0) refuse(unmet);

mkdirSync(folder, { recursive: true });
const [revision, time] = (await git('log', '-1', '--format=%H %ct')).output.trim().split(' ');
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? time);
if (options.files) {
  // Images are built by the engine: whoever pushes them runs no code of npm packages.
  await setUp({ build: true });
  const { makeRelease } = await import('./release/make-release.mjs');
  const section = sectionOf(readFileSync(join(projectRoot, 'CHANGELOG.md'), 'utf8'), version);
  await makeRelease({ folder, version, section, revision, epoch });
}
if (options.images) {
  const { registry, push } = options;
  const made = { folder, base: images.base, version, revision, epoch, registry, push };
  if (!(await buildImages(made))) refuse(['docker buildx bake did not succeed: the release is not complete']);
} else say('The images are left out (--no-images).');
writeSums(folder);
console.log(folder);
