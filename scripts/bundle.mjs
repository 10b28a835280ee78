// `node ../../scripts/bundle.mjs [--watch]` in the directory of an app: src/main.ts and all it imports become
// dist/main.js, the one file that a process loads (docs/decisions/0027-one-file-per-process.md).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, context } from 'esbuild';
import { listLicenses } from './list-licenses.mjs';

const { values } = parseArgs({ options: { watch: { type: 'boolean' } } });

/** One segment that maps nothing: esbuild leaves what is below it out of the source map. */
const EMPTY_MAP = btoa(JSON.stringify({ version: 3, sources: [''], mappings: 'AAAA' }));

/**
 * Stack frames of ours keep their lines; those of libraries would make the map eight times as large, and Node reads
 * the whole map at start (20 MB of memory and 40 ms, measured).
 */
const ownLinesOnly = {
  name: 'own-lines-only',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => ({
      contents: `${readFileSync(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${EMPTY_MAP}`,
    }));
  },
};

/** BullMQ's other database: 300 KB of SQL that nothing reaches, kept only because its package does not say so. */
const withoutPostgres = {
  name: 'without-postgres',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /postgres/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'resolving' || !from.importer.includes('/node_modules/bullmq/')) return undefined;
      const { resolveDir, kind, importer } = from;
      const resolved = await resolve(path, { resolveDir, kind, importer, pluginData: 'resolving' });
      return { ...resolved, sideEffects: false };
    });
  },
};

/** HTTP/2 of got, which nobody asks for: it makes a TLS socket as it loads, and that reads all root certificates, 22 ms of each start. */
const withoutHttp2 = {
  name: 'without-http2',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/http2-wrapper\/source\/index\.js$/ }, () => ({ contents: '' }));
  },
};

/** The dashboard's pages, which the image holds as they are. */
const COPIED = process.cwd().endsWith('dashboard')
  ? ['../../node_modules/@bull-board/ui/dist/index.ejs']
  : [];

const licenses = {
  name: 'licenses',
  setup({ onEnd }) {
    onEnd(({ metafile }) => {
      if (metafile !== undefined)
        writeFileSync('dist/LICENSES.txt', listLicenses([...Object.keys(metafile.inputs), ...COPIED]));
    });
  },
};

const options = {
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // CommonJS libraries load Node's modules with require.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
  conditions: ['source'],
  // ES modules first: what of them is not used can be left out.
  mainFields: ['module', 'main'],
  // The same parser, but for a look at an environment variable with each token, which takes seconds where the environment
  // has the secrets of a thousand libraries.
  alias: { yaml: join(import.meta.dirname, '../node_modules/yaml/browser/index.js') },
  // An optional native addon, of no use for what BullMQ does with its package.
  external: ['msgpackr-extract'],
  // Half the text to read and keep; names stay, for stacks and profiles.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
  plugins: [withoutHttp2, ownLinesOnly, withoutPostgres, licenses],
};

mkdirSync('dist', { recursive: true });
// The dashboard serves the runbook, wherever it is installed.
if (process.cwd().endsWith('dashboard')) {
  const { renderDocument } = await import('./render-document.mjs');
  const runbook = readFileSync(join(import.meta.dirname, '../docs/runbook.md'), 'utf8');
  writeFileSync('dist/runbook.html', renderDocument(runbook));
}
if (values.watch === true) await (await context(options)).watch();
else {
  await build(options);
}
