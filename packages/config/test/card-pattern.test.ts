import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSafe } from 'redos-detector';
import { patternOf } from '../src/cards/card-form.ts';
import { isAnchored, isStraight } from '../src/cards/card-pattern.ts';
import { at, parse, problemsOf, validFile } from './valid-file.ts';

/** Processor time: other work of the machine is not in it. */
function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const withPattern = (pattern: string) => {
  const file = validFile();
  at(file, 'libraries', 0)['cards'] = [pattern];
  return file;
};

test.each([
  '^21234\\d{9}$',
  '^(?:2123|4567)\\d{10}$',
  '^(?:\\d{4}-){3}\\d{4}$',
  '^[A-Z]{1,3}\\d{6,10}$',
  '^P?\\d+$',
  '^21234.*$',
  '^(?=.*\\d)[A-Z0-9]{8,12}$',
])('%s is taken, and answers at once for the worst of cards', (pattern) => {
  const [compiled] = parse(withPattern(pattern)).libraries[0]?.cards.map(patternOf) ?? [];
  const spentMs = processorMs(() => {
    for (const card of ['1', 'A', '21234', '1-'].map((text) => text.repeat(32).slice(0, 31)))
      compiled?.test(`${card}!`);
  });
  expect(spentMs).toBeLessThan(50);
});

test.each(['^(\\d+)+$', '^(a|a)*$', '^(\\d|\\d\\d)*$', '^(.*)*$', '^(?:\\d+-?)+$', '^(x+x+)+y$', '(\\d+)+5'])(
  '%s is refused: some card would block a worker',
  (pattern) => {
    expect(problemsOf(withPattern(pattern))).toEqual([
      expect.objectContaining({
        path: 'libraries[0].cards[0]',
        problem: expect.stringContaining('very long'),
      }),
    ]);
  },
);

test.each(['', '[', '^21234\\d{9', '(?<=x', 'x'.repeat(201)])(
  '%j is refused: it is no pattern',
  (pattern) => {
    expect(problemsOf(withPattern(pattern))).toHaveLength(1);
  },
);

test.each(['^21234\\d{9}$', '^[A-Z]{2}\\d{6}', '^LIB-[0-9A-F]{8} \\d$'])(
  '%s needs no search for a slow card',
  (pattern) => {
    expect(isStraight(new RegExp(pattern, 'u'))).toBe(true);
  },
);

test.each([
  '21234\\d{9}$',
  '^\\d+$',
  '^\\d{6,10}$',
  '^P?\\d{9}$',
  '^(?:21|22)\\d{9}$',
  '^2.{9}$',
  '^21|22$',
  '^(a|a)*$',
])('%s does', (pattern) => {
  expect(isStraight(new RegExp(pattern, 'u'))).toBe(false);
});

test('what needs none has none: a search agrees', () => {
  const atom = fc.constantFrom('2', 'L', ' ', '-', '_', '\\d', '[A-Z]', '[0-9A-F-]');
  const times = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 1, max: 12 }).map((count) => `{${count}}`),
  );
  const part = fc.tuple(atom, times).map(([one, count]) => one + count);
  const pattern = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '$'))
    .map(([parts, end]) => new RegExp(`^${parts.join('')}${end}`, 'u'));
  fc.assert(
    fc.property(pattern, (built) => isStraight(built) && isSafe(built).safe),
    { numRuns: 200 },
  );
});

test.each<[string, boolean]>([
  ['^\\d{9}$', true],
  ['^(?:A(\\d{5})|B\\d{5})$', true],
  ['^A\\d{5}$|^B\\d{5}$', true],
  ['^[(|$](\\(|\\|\\d)$', true],
  ['^A\\d{5}|B\\d{5}$', false],
  ['^\\d{9}\\$', false],
  ['^\\d{9}', false],
  ['(?:^\\d{9})$', false],
])('%s fits whole cards alone: %p', (pattern, expected) => {
  expect(isAnchored(new RegExp(pattern, 'u'))).toBe(expected);
});

test('a pattern keeps no state between two cards', () => {
  const [compiled] = parse(withPattern('^21234\\d{9}$')).libraries[0]?.cards.map(patternOf) ?? [];
  expect([1, 2, 3].map(() => compiled?.test('21234000000017'))).toEqual([true, true, true]);
});
