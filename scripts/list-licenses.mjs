import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE_OF = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i;

/** Name, version and licence of each package that these files are of, sorted: most licences want their text to go along. */
export function listLicenses(files) {
  const places = new Set(files.flatMap((file) => PACKAGE_OF.exec(file)?.[1] ?? []));
  const entries = [...places].map((place) => {
    const { name, version, license } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    return { title: `${name} ${version} (${license ?? 'no licence named'})`, text: licenseText(place) };
  });
  const unique = new Map(entries.map(({ title, text }) => [title, text]));
  return [...unique]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([title, text]) => `${title}\n\n${text}\n`)
    .join(`${'-'.repeat(80)}\n`);
}

function licenseText(place) {
  const names = existsSync(place) ? readdirSync(place).filter((name) => LICENSE_FILE.test(name)) : [];
  if (names.length === 0) return 'The package has no file with the text of its licence.';
  return names.map((name) => readFileSync(join(place, name), 'utf8').trim()).join('\n\n');
}
