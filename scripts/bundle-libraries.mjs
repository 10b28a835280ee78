// For jest.config.js. Jest gives each test file modules of its own, and reads, resolves and compiles each of them again: 700 of the 1,200
// that a test of a worker loads are those of a few libraries. As one file each they take much less.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const COMMONJS = ['bullmq', 'commander', 'fastify', 'ioredis', 'pino', 'yaml'];
const MODULES = ['fast-check', 'got', 'zod'];

/** Bundles them once for each lock file and version of this one, and returns Jest's `moduleNameMapper`. */
export async function bundleLibraries() {
  const hash = createHash('sha256');
  for (const file of [join(root, 'package-lock.json'), import.meta.filename]) hash.update(readFileSync(file));
  const folder = join(root, 'node_modules/.cache/test-libraries', hash.digest('hex').slice(0, 16));
  if (!existsSync(folder)) {
    const into = `${folder}.${process.pid}`;
    await Promise.all([
      bundle(COMMONJS, {
        outdir: into,
        format: 'cjs',
        suffix: '.bundle',
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
    for (const name of COMMONJS) writeFileSync(join(into, `${name}.cjs`), openBundle(name));
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

/**
 * What is imported in place of the bundle. Jest reads what a test imports twice, once for the names that it exports; those of an
 * object that exists it sees itself. So it reads this twice, and not a megabyte for each test file.
 */
const openBundle = (name) => `const bundle = require('./${name}.bundle.cjs');\nmodule.exports = bundle;\n`;

/** Each a file that has all of its library but the other ones: there is one `ioredis`, whoever asks for it. */
function bundle(names, { outdir, format, suffix = '', contents, banner }) {
  return Promise.all(
    names.map((name) =>
      build({
        stdin: { contents: contents(name), resolveDir: root },
        outfile: join(outdir, `${name}${suffix}.${format === 'esm' ? 'mjs' : 'cjs'}`),
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
