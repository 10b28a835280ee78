// `npm run package:deb [-- FOLDER]`: builds everything and packs patron-passport_VERSION_all.deb into FOLDER (dist). The
// same commit gives the same bytes: SOURCE_DATE_EPOCH is the time of the commit unless it is set.
import { join, resolve } from 'node:path';
import { makePackage } from './deb/make-package.mjs';
import { projectRoot, runCommand, say } from './run-command.mjs';
import { setUp } from './set-up.mjs';
import { has } from './system-packages.mjs';

if (!has('dpkg-deb')) {
  say('dpkg-deb is not on this machine: build the package on Debian or Ubuntu.');
  process.exit(1);
}
await setUp({ build: true });
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? (await timeOfCommit()));
console.log(await makePackage(resolve(process.argv[2] ?? join(projectRoot, 'dist')), epoch));

async function timeOfCommit() {
  const { code, output } = await runCommand('git', [
    '-c',
    `safe.directory=${projectRoot}`,
    'log',
    '-1',
    '--format=%ct',
  ]);
  if (code === 0) return output.trim();
  say('Not a git checkout: set SOURCE_DATE_EPOCH to the time of the release, in seconds.');
  return process.exit(1);
}
