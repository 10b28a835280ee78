import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes SHA256SUMS of everything in the folder, as `sha256sum --check` reads it. */
export function writeSums(folder) {
  const names = readdirSync(folder).filter((name) => name !== 'SHA256SUMS');
  const lines = names
    .toSorted((left, right) => (left < right ? -1 : 1))
    .map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
}

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
