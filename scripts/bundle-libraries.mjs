// For jest.config.js. Jest gives each test file modules of its own, and reads, resolves and compiles each of them again: 700 of the 1,200
// that a test of a worker loads are those of a few libraries. As one file each they take much less.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const COMMONJS = ['bullmq', 'commander', 'fastify', 'ioredis', 'pino', 'yaml'];
const MODULES = ['fast-check', 'got', 'zod'];

/** Bundles them once for each lock file, and returns Jest's `moduleNameMapper`. */
export async function bundleLibraries() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const folder = join(root, 'node_modules/.cache/test-libraries', lock.slice(0, 16));
  if (!existsSync(folder)) {
    const into = `${folder}.${process.pid}`;
    await Promise.all([
      bundle(COMMONJS, {
        outdir: into,
        format: 'cjs',
        contents: (name) => `module.exports = require('${name}')`,
      }),
      bundle(MODULES, {
        outdir: into,
        format: 'esm',
        contents: (name) =>
          `export * from '${name}'; import * as all from '${name}'; export default all.default`,
        banner: {
          js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
        },
      }),
    ]);
    try {
      renameSync(into, folder);
    } catch (error) {
      // Another run was faster, which is as well.
      rmSync(into, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const map = (names, extension) => [`^(${names.join('|')})$`, `${folder}/$1.${extension}`];
  return Object.fromEntries([map(COMMONJS, 'cjs'), map(MODULES, 'mjs')]);
}

/** Each a file that has all of its library but the other ones: there is one `ioredis`, whoever asks for it. */
function bundle(names, { outdir, format, contents, banner }) {
  return Promise.all(
    names.map((name) =>
      build({
        stdin: { contents: contents(name), resolveDir: root },
        outfile: join(outdir, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`),
        bundle: true,
        platform: 'node',
        mainFields: ['module', 'main'],
        target: 'node20.19',
        format,
        external: ['msgpackr-extract', ...[...COMMONJS, ...MODULES].filter((other) => other !== name)],
        legalComments: 'none',
        minifyWhitespace: true,
        minifySyntax: true,
        logLevel: 'error',
        ...(banner === undefined ? {} : { banner }),
      }),
    ),
  );
}
