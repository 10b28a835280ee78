import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = ['apps', 'packages', 'docs', 'scripts', 'deploy', 'packaging', '.github'];
/** Made from other files, or an operator's own. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'coverage', '.turbo', 'secrets']);
const TEXT = /\.(?:[jt]s|mjs|pm|pl|t|tt|css|md|json|ya?ml|conf|service)$/;

export interface ProjectText {
  /** Its path from the root of the repository. */
  readonly file: string;
  readonly text: string;
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (LEFT_OUT.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Every source, test and page of the repository. */
export function projectTexts(): readonly ProjectText[] {
  const pages = readdirSync(ROOT).filter((name) => name.endsWith('.md'));
  return [...pages, ...FOLDERS.flatMap(filesBelow)]
    .filter((file) => TEXT.test(file))
    .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
}
