import { expect, test } from '@jest/globals';
import { parseConsortium, tryConfig } from '../src/index.ts';
import { NOTIFY_FAULTS } from './notify-faults.ts';
import { POLICY_FAULTS } from './policy-faults.ts';
import { SECRET_FAULTS } from './secret-faults.ts';
import { STRUCTURE_FAULTS } from './structure-faults.ts';
import { USER_FAULTS } from './user-faults.ts';
import { at, parse, problemsOf, validEnvironment, validFile } from './valid-file.ts';

test('the file that every broken one starts from is right', () => {
  expect(parse(validFile()).libraries).toHaveLength(3);
});

const FAULTS = {
  ...STRUCTURE_FAULTS,
  ...SECRET_FAULTS,
  ...POLICY_FAULTS,
  ...USER_FAULTS,
  ...NOTIFY_FAULTS,
};

test.each(Object.entries(FAULTS))(
  'a file with %s is refused at its place, and for nothing else',
  (_, fault) => {
    const file = validFile();
    fault.break(file);
    const problems = problemsOf(file, { ...validEnvironment(), ...fault.env });
    expect(problems).toEqual([expect.objectContaining({ path: fault.path })]);
    expect(problems[0]?.problem).toMatch(fault.problem);
    if (fault.allowed !== undefined) expect(problems[0]?.allowed).toMatch(fault.allowed);
  },
);

test('all faults of one file are reported at once', () => {
  const file = validFile();
  at(file, 'libraries', 0, 'koha')['timeout'] = 'soon';
  at(file, 'libraries', 0, 'koha')['client_secret'] = { env: 'NOBODY' };
  at(file, 'libraries', 1)['cards'] = ['['];
  at(file, 'libraries', 1, 'copy')['fields'] = ['nmae'];
  at(file, 'libraries', 2)['id'] = 'midland';
  file['agreements'] = [{ home: 'nowhere', lending: 'riverside', filds: [] }];
  file['colour'] = 'blue';
  expect(
    problemsOf(file)
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual([
    'agreements[0].filds',
    'agreements[0].home',
    'colour',
    'libraries[0].koha.client_secret',
    'libraries[0].koha.timeout',
    'libraries[1].cards[0]',
    'libraries[1].copy.fields[0]',
    'libraries[2].id',
  ]);
});

test('a tab is one fault, whatever is read wrongly after it', () => {
  const text =
    'consortium: Test\nlibraries:\n  - id: midland\n\tname: Midland\n    cards: [a]\n  - id: riverside\n';
  const read = tryConfig(() => parseConsortium(text, {}, () => ''));
  const problems = read.kind === 'refused' ? read.problems : [];
  expect(problems.filter((problem) => problem.startsWith('line'))).toEqual([
    'line 4: a tab is used for indentation; spaces',
  ]);
});
