import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findCommonCard, isComparable } from '../src/cards/find-common-card.ts';

/** Processor time: other work of the machine is not in it. */
function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const common = (one: string, other: string) => findCommonCard(new RegExp(one, 'u'), new RegExp(other, 'u'));

test.each<[one: string, other: string, kind: 'overlap' | 'apart']>([
  ['^21234\\d{9}$', '^21234\\d{9}$', 'overlap'],
  ['^21234\\d{9}$', '^2123\\d{10}$', 'overlap'],
  ['^21234\\d{9}$', '^21235\\d{9}$', 'apart'],
  ['^21234\\d{9}$', '^21234\\d{8}$', 'apart'],
  ['^21234\\d{9}$', '^[A-Z]\\d{6,10}$', 'apart'],
  ['^[A-Z]\\d{6,10}$', '^(?:R|L)\\d{10}$', 'overlap'],
  ['^\\w{14}$', '^\\d{1,13}$', 'apart'],
  ['^\\p{L}+-\\d$', '^[a-zé]{3}-[0-3]$', 'overlap'],
  ['\\d{5}', '^A\\d{5}Z$', 'overlap'],
  ['\\d{5}', '^[A-Z]+$', 'apart'],
  ['21234', '56789', 'overlap'],
  ['1$', '2$', 'apart'],
  ['^1', '^2', 'apart'],
  ['^P?\\d+$', '^P\\d{40}$', 'apart'],
  ['^(?:\\d{4}-){3}\\d{4}$', '^[0-9-]{19}$', 'overlap'],
  ['^(?!9)\\d{3}$', '^9\\d\\d$', 'apart'],
  ['^(?!9)\\d{3}$', '^\\d{2}9$', 'overlap'],
  ['^(?!9)\\d{3}$', '^\\d{4}$', 'apart'],
  ['^(\\d)\\1$', '^77$', 'overlap'],
  ['^21|22$', '^3.*22$', 'overlap'],
  ['^.1$', '^2.$', 'overlap'],
])('%s and %s: %s', (one, other, kind) => {
  for (const card of [common(one, other), common(other, one)]) {
    expect(card === null ? 'apart' : 'overlap').toBe(kind);
    if (card === null) continue;
    expect(card).toMatch(new RegExp(one, 'u'));
    expect(card).toMatch(new RegExp(other, 'u'));
  }
});

test('it agrees with trying every card of up to three characters of a small alphabet', () => {
  const characters = ['1', '2', 'A'];
  const cards = [1, 2, 3].reduce<string[][]>(
    (lists) => [...lists, (lists.at(-1) ?? []).flatMap((card) => characters.map((next) => card + next))],
    [['']],
  );
  const atom = fc.constantFrom('1', '2', 'A', '[12]', '\\d', '.', '(?:1|2A)', '(?:A)?');
  const part = fc
    .tuple(atom, fc.constantFrom('', '', '?', '{1,2}', '*', '+'))
    .map(([text, times]) => (text.endsWith('?') ? text : text + times));
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([begins, parts, ends]) => `${begins ? '^' : ''}${parts.join('')}${ends ? '$' : ''}`);
  fc.assert(
    fc.property(pattern, pattern, (one, other) => {
      const fit = cards.flat().filter((card) => card !== '' && new RegExp(one, 'u').test(card));
      const both = fit.some((card) => new RegExp(other, 'u').test(card));
      const card = common(one, other);
      // Longer cards may fit where none of these does; never the other way round.
      if (both) expect(card).not.toBeNull();
      if (card !== null)
        expect([new RegExp(one, 'u').test(card), new RegExp(other, 'u').test(card)]).toEqual([true, true]);
    }),
    { numRuns: 2_000 },
  );
});

const decoys = Array.from({ length: 120 }, (_, place) => `${place % 10}$`).join('|');
test.each<[pattern: string, comparable: boolean]>([
  ['^\\d{14}$', true],
  ['^(?:R|L)?\\d{6,10}$', true],
  ['^\\d+$', true],
  ['^(?!9)21234\\d{9}$', false],
  ['^21234\\d{9}\\b$', false],
  ['^(\\d)\\1[23]\\d{9}$', false],
  ['^[A-Z]*\\d+$', false],
  // The shapes that are looked at have all ended before the last digit, and none is left.
  [`^(?:${decoys}|21234\\d{8})\\d$`, false],
])('whether all cards of %s are looked at: %s', (pattern, comparable) => {
  expect(isComparable(new RegExp(pattern, 'u'))).toBe(comparable);
});

test('all pairs of 80 libraries are looked at in a moment', () => {
  const patterns = Array.from({ length: 80 }, (_, number) => new RegExp(`^2${1000 + number}\\d{9}$`, 'u'));
  const spentMs = processorMs(() => {
    for (const [place, one] of patterns.entries())
      for (const other of patterns.slice(0, place)) expect(findCommonCard(one, other)).toBeNull();
  });
  expect(spentMs).toBeLessThan(5_000);
});

test('a pattern out of the ordinary costs no more than a moment', () => {
  const odd = [
    '^\\d{99999999}$',
    '(?:\\d{1,30}[A-Z]{0,30}){1,30}',
    '(?:a?b?c?d?e?){30}$',
    '.{5}[A-M].{6}|.{7}[N-Z]',
  ];
  const spentMs = processorMs(() => {
    for (const one of odd) for (const other of odd) common(one, `${other}X`);
  });
  expect(spentMs).toBeLessThan(3_000);
});
