import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import { addLibrary, startLibrary } from '../src/index.ts';

const example = readFileSync(new URL('../../../passport.example.yaml', import.meta.url), 'utf8');
const entry = {
  id: 'prairie',
  name: 'Prairie: "yes" # no, {really}',
  koha: { url: 'https://koha.prairie.example.org', client_id: { file: '/etc/x' } },
  cards: [String.raw`^L\d{8}$`, '*', '- x', 'true', '&a'],
  copy: { mode: 'observe' },
};
type File = { libraries: object[] };

describe('a library that joins', () => {
  test('stands behind the others, and every byte of the example stays', () => {
    const edited = addLibrary(example, entry) ?? '';
    const added = edited.split('\n').filter((line) => !example.split('\n').includes(line));
    expect(added).toContain('  - id: prairie');
    const before = parseYaml(example) as File;
    expect(parseYaml(edited)).toEqual({ ...before, libraries: [...before.libraries, entry] });
    const at = edited.indexOf('\n  - id: prairie');
    const tail = example.slice(example.indexOf('\n# Who may use the dashboard'));
    expect(edited.startsWith(example.slice(0, at))).toBe(true);
    expect(edited.endsWith(tail)).toBe(true);
  });

  test.each([
    ['without an indent', 'consortium: A\nlibraries:\n- id: a # one\n  name: A\nagreements: all # all\n'],
    ['of four columns', 'libraries:\n    - id: a\n      name: A\n\n\n# end\n'],
    ['without a line end', 'libraries:\n  - id: a'],
    ['with Windows line ends', 'libraries:\r\n  - id: a\r\n    name: A\r\n# c\r\n'],
    ['in one line', 'libraries: [{ id: a }] # list\n'],
    ['as JSON', '{"consortium": "A", "libraries": [{"id": "a"}]}'],
    ['that is empty', 'consortium: A # name\nlibraries: []\n'],
    ['with nothing behind its key', 'libraries:\n# none so far\nagreements: all\n'],
    ['that is not there', 'consortium: A # name\n'],
    ['whose last entry is an alias', 'x: &x { id: b }\nlibraries:\n  - id: a\n  - *x\n'],
    [
      'with a comment in its last entry',
      'libraries:\n  - id: a\n    # about a\n    name: A\n    # end of a\nagreements: all\n',
    ],
  ])('joins a list %s, with the comments', (_, text) => {
    const edited = addLibrary(text, entry) ?? '';
    const before = parseYaml(text) as Partial<File>;
    expect(parseYaml(edited)).toEqual({ ...before, libraries: [...(before.libraries ?? []), entry] });
    for (const [comment] of text.matchAll(/#.*$/gm)) expect(edited).toContain(comment.trim());
  });

  test.each([
    ['no YAML', 'libraries: ['],
    ['no mapping', '- a'],
    ['no list', 'libraries: many'],
  ])('does not join a text that is %s', (_, text) => {
    expect(addLibrary(text, entry)).toBeNull();
  });
});

describe('a library that starts', () => {
  test('makes copies from then on, and no other byte changes', () => {
    const text =
      'libraries:\n  - id: a\n    copy: { mode: observe } # a\n  - id: b\n    copy:\n      mode:   "observe" # first weeks\n      category: PT\n';
    expect(startLibrary(text, 'b')).toBe(text.replace('"observe"', 'copy'));
    expect(startLibrary(text, 'a')).toBe(text.replace('mode: observe', 'mode: copy'));
  });

  test.each([
    ['is not there', 'libraries: [{ id: b, copy: { mode: observe } }]'],
    ['does not observe', 'libraries: [{ id: a, copy: { mode: copy } }]'],
    ['says nothing of it', 'libraries: [{ id: a }]'],
    ['is in no list', 'libraries: a'],
    [
      'has its mode together with another one',
      'libraries:\n  - { id: a, copy: &w { mode: observe } }\n  - { id: b, copy: *w }\n',
    ],
    ['has an anchor at its mode', 'libraries: [{ id: a, copy: { mode: &m observe } }, { id: b, x: *m }]'],
  ])('is left alone where it %s', (_, text) => {
    expect(startLibrary(text, 'a')).toBeNull();
  });
});
