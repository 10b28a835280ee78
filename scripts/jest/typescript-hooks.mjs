import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/wasm-typescript';

const globals = new URL('globals.mjs', import.meta.url).href;
const cache = join(import.meta.dirname, '../../node_modules/.cache/typescript');
mkdirSync(cache, { recursive: true });

/** Scripts of a page, which a test imports with `?page=…`, have modules of their own. */
export async function resolve(specifier, context, next) {
  if (specifier === '@jest/globals') return { url: globals, shortCircuit: true };
  const found = await next(specifier, context);
  const page = /\?page=.*$/.exec(context.parentURL ?? '')?.[0];
  return page === undefined ? found : { ...found, url: found.url + page };
}

/** Types become blanks, as in later releases of Node, so that lines and columns stay and no source map is needed. */
export async function load(url, context, next) {
  if (!new URL(url).pathname.endsWith('.ts')) return next(url, context);
  const source = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', source: await strip(source), shortCircuit: true };
}

async function strip(source) {
  const file = join(cache, `${createHash('sha256').update(source).digest('hex')}.js`);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  const { code } = await transform(source, { mode: 'strip-only', module: true });
  const own = `${file}.${process.pid}`;
  await writeFile(own, code);
  await rename(own, file);
  return code;
}
