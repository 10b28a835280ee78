import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { projectTexts } from '../harness/project-texts.ts';

const TEXTS = projectTexts();
/** A release writes the last one. */
const DOCUMENTS = [
  ...TEXTS.map(({ file }) => file).filter((file) => file.endsWith('.md')),
  'release/NOTES.md',
];
/** Its examples name documents that are nowhere. */
const HAS_EXAMPLES = '/documents/references.test.ts';

const isThere = (name: string): boolean =>
  DOCUMENTS.some((document) => `/${document}`.endsWith(`/${name.replace(/^(?:\.{0,2}\/)+/, '')}`));

/** The documents that a text names, by path or by name alone, and that are not in the repository. */
const lostDocuments = (text: string): string[] =>
  Array.from(text.replaceAll(/\bhttps?:\/\/\S+/g, '').matchAll(/[\w./-]*\w\.md\b/g), ([name]) => name).filter(
    (name) => !isThere(name),
  );

const NUMBERED = /\bcontract,? sections?\b|(?<!\bRFC \d+,? )\bsections? \d+(?!\.\d+\.\d|, in man\(7\))/gi;

/** The numbered sections that a text refers to. None of our pages numbers its sections; an RFC and the manual do. */
const numberedSections = (text: string): string[] =>
  Array.from(text.replaceAll(/\n[ \t]*(?:\*|\/\/|#)?[ \t]*/g, ' ').matchAll(NUMBERED), ([match]) => match);

describe('what a reader is referred to', () => {
  test.each([
    ['document', lostDocuments],
    ['numbered section', numberedSections],
  ])('is in the repository: no text names a %s that is not there', (_what, lostIn) => {
    const checked = TEXTS.filter(({ file }) => !file.endsWith(HAS_EXAMPLES));
    expect(checked.length).toBeGreaterThan(1_000);
    expect(checked.flatMap(({ file, text }) => lostIn(text).map((lost) => `${file}: ${lost}`))).toEqual([]);
  });

  test.each(['(API.md, surprise 10)', '[limits](docs/calls.md)', 'see ../notes.md'])(
    'it finds a planted document in "%s"',
    (text) => {
      expect(lostDocuments(text)).toHaveLength(1);
    },
  );

  test.each([
    'README.md, docs/install.md#upgrade and ../../docs/decisions/0005-patron-locks.md',
    'packages/koha-client/calls.md or calls.md',
    'https://example.org/notes.md',
    "name.endsWith('.md')",
  ])('it leaves "%s" alone', (text) => {
    expect(lostDocuments(text)).toEqual([]);
  });

  test.each([
    '(contract section 1)',
    'the contract, section 8',
    'as in sections 2 and 6',
    'contract section\n * 2.1',
  ])('it finds a planted section in %j', (text) => {
    expect(numberedSections(text)).not.toEqual([]);
  });

  test.each(['(RFC 9110 section 10.2.3)', 'section 1.2.3 has no line', 'in three sections'])(
    'it leaves a section in "%s" alone',
    (text) => {
      expect(numberedSections(text)).toEqual([]);
    },
  );
});

/** What a link to a heading ends with, as GitHub makes it. */
const anchorsIn = (text: string): string[] =>
  Array.from(text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

test('every link of the documents leads to a file, and a heading of it, that is there', () => {
  const root = join(import.meta.dirname, '../../..');
  const pages = TEXTS.filter(({ file }) => /^(?:\w+\.md|(?:docs|deploy|apps|packages)\/.*\.md)$/.test(file));
  expect(pages.length).toBeGreaterThan(50);
  const dead = pages.flatMap(({ file, text }) =>
    Array.from(
      // GitHub resolves the last of them by the repository that shows the page, whoever owns it.
      text.matchAll(/\]\((?!https?:|mailto:|\.\.\/\.\.\/actions\/)([^)#\s]*)(?:#([^)\s]+))?\)/g),
      ([, path = '', anchor]) => {
        const to = join(path === '' ? file : join(dirname(file), path));
        if (!existsSync(join(root, to))) return [`${file}: ${path}`];
        const page = TEXTS.find((each) => each.file === to);
        if (anchor === undefined || page === undefined || anchorsIn(page.text).includes(anchor)) return [];
        return [`${file}: ${path}#${anchor}`];
      },
    ).flat(),
  );
  expect(dead).toEqual([]);
});
