// `node ../../scripts/make-join-files.mjs` in the directory of the receiver, after its build: what a library that is invited downloads there. dist/join gets the
// guide as a page and, where Perl is, the plugin.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderDocument } from './render-document.mjs';

const ROOT = join(import.meta.dirname, '..');
const FOLDER = 'dist/join';

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
writeFileSync(`${FOLDER}/guide.html`, renderDocument(readFileSync(join(ROOT, 'docs/koha-setup.md'), 'utf8')));
const { status } = spawnSync('perl', [join(ROOT, 'apps/koha-plugin/package.pl'), FOLDER], {
  stdio: ['ignore', 'ignore', 'ignore'],
});
if (status !== 0) console.error('without Perl and Modern::Perl the receiver has no plugin to download');
