import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { projectRoot } from '../run-command.mjs';

/** The manual of the passport command as `{ file, text }`, by apps/cli/src/man-pages.ts, which no process contains. */
export async function buildManPages(edition) {
  const folder = mkdtempSync(join(tmpdir(), 'passport-man-'));
  try {
    const outfile = join(folder, 'man-pages.mjs');
    await build({
      entryPoints: [join(projectRoot, 'apps/cli/src/man-pages.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      banner: {
        js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
      },
      conditions: ['source'],
      mainFields: ['module', 'main'],
      external: ['msgpackr-extract'],
      logLevel: 'error',
    });
    const { manPages } = await import(pathToFileURL(outfile));
    return await manPages(edition);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
