import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { OPEN_FINDINGS, type OpenFindingCode, commandsFor, isOpenFinding } from '../src/index.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const CODES = Object.keys(OPEN_FINDINGS).filter(isOpenFinding);
const of = (code: OpenFindingCode, homeKey = 'midland:7') =>
  commandsFor(code, { lending: 'riverside', patronId: 402, homeKey });

describe('each finding that somebody has to look at', () => {
  test('has its words on the tool page, in all four languages', () => {
    const words = JSON.parse(read('apps/koha-plugin/Koha/Plugin/Org/PatronPassport/tool.json')) as Readonly<
      Record<string, Readonly<Record<string, string>>>
    >;
    const found = Object.entries(words).map(([language, texts]) => [
      language,
      Object.keys(texts).flatMap((name) =>
        /^finding_[A-Z]/.test(name) ? [name.slice('finding_'.length)] : [],
      ),
    ]);
    expect(Object.fromEntries(found)).toEqual({ en: CODES, de: CODES, fr: CODES, es: CODES });
  });

  test('is in the list of findings of docs/copies.md', () => {
    const page = read('docs/copies.md');
    expect(CODES.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  test('can be kept, and its commands name the copy and nothing that a home key may hide', () => {
    for (const code of CODES)
      expect(of(code)).toContain('passport copies findings --at riverside --keep 402');
    expect(of('HOME_GONE')).toContain('passport copies delete --at riverside --gone');
    expect(of('HOME_UNKNOWN')).toContain('passport copies rekey --at riverside --from midland --to LIBRARY');
    expect(of('NOT_SHARED', 'midland:?').join('\n')).not.toContain('?');
    expect(of('HOME_UNKNOWN', '?:?').join('\n')).not.toContain('?');
  });
});
