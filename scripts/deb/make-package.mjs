import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../run-command.mjs';
import { packDeb, stagePackage } from './stage-package.mjs';

/**
 * Packs what the last build made into patron-passport_VERSION_all.deb in `folder`, and returns its path. `epoch` is the time of
 * the release in seconds: the same build, time and `level` (of compression, 0 to 9) give the same bytes.
 */
export async function makePackage(folder, epoch, { revision = 1, level = 6 } = {}) {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  // A candidate such as 1.1.0-rc.1 comes before 1.1.0.
  const debianVersion = `${version.replace('-', '~')}-${revision}`;
  const file = join(folder, `patron-passport_${debianVersion}_all.deb`);
  mkdirSync(folder, { recursive: true });
  const stage = mkdtempSync(join(tmpdir(), 'passport-deb-'));
  try {
    await stagePackage(stage, { version, debianVersion, epoch });
    packDeb(stage, file, { epoch, level });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return file;
}
