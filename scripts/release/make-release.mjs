import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePackage } from '../deb/make-package.mjs';
import { projectRoot, runCommand } from '../run-command.mjs';
import { upgradeOf } from './changelog.mjs';
import { git } from './release-problems.mjs';
import { buildSboms } from './sbom.mjs';

const COPIED = {
  'CHANGELOG.md': 'CHANGELOG.md',
  'passport.example.yaml': 'passport.example.yaml',
  'alerts.yml': 'deploy/prometheus/alerts.yml',
  'grafana.json': 'deploy/grafana/patron-passport.json',
};
/** What runs the images, and their configuration. */
const DEPLOYED = ['docker-compose.yml', '.env.example', 'passport.example.yaml', 'deploy', 'LICENSE'];

/**
 * Makes all files of a version but its images in `folder`, from what the last build made. `section` is the changelog's of this
 * version, `revision` the commit, and `epoch` its time in seconds: the same commit, Node, npm, git, Perl and xz give the same bytes. `level` (0 to 9) is that of the compression.
 */
export async function makeRelease({ folder, version, section, revision, epoch, level = 6 }) {
  mkdirSync(folder, { recursive: true });
  await makePackage(folder, epoch, { level });
  await must('perl', ['apps/koha-plugin/package.pl', folder]);
  const archive = join(folder, `patron-passport-deploy-${version}.tar.gz`);
  const prefix = `patron-passport-${version}/`;
  const packed = await git(
    'archive',
    '--format=tar.gz',
    `--prefix=${prefix}`,
    `--output=${archive}`,
    revision,
    ...DEPLOYED,
  );
  if (packed.code !== 0) throw new Error(`git archive: ${packed.output}`);
  const sboms = await buildSboms({ version, epoch });
  write(folder, `patron-passport-${version}.cdx.json`, asText(sboms.cyclonedx));
  write(folder, `patron-passport-${version}.spdx.json`, asText(sboms.spdx));
  for (const [name, source] of Object.entries(COPIED)) cpSync(join(projectRoot, source), join(folder, name));
  write(folder, 'NOTES.md', notes({ version, section }));
}

const HOW = {
  rolling: 'Rolling: one process after the other, workers first; versions may run side by side.',
  drained: 'Drained: stop the receivers, let the queue run empty, stop the workers, then start this version.',
};
const BACK = {
  safe: 'Rolling back to the previous version is safe with events in the queue.',
  drained: 'Rolling back to the previous version needs an empty queue.',
  'not safe': 'There is no way back to the previous version but a backup.',
};

function notes({ version, section }) {
  const { upgrade, rollback } = upgradeOf(section.body);
  return `# Patron Passport ${version}

${HOW[upgrade]} ${BACK[rollback]}

${section.body}
`;
}

const write = (folder, name, text) => writeFileSync(join(folder, name), text);

const asText = (value) => `${JSON.stringify(value, null, 2)}\n`;

async function must(command, args) {
  const { code, output } = await runCommand(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${output}`);
  return output;
}
