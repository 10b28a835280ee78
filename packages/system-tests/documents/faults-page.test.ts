import { describe, expect, test } from '@jest/globals';
import { projectTexts } from '../harness/project-texts.ts';

const PAGE = 'docs/faults-of-the-plugin.md';
const TEXTS = projectTexts();

const found = (text: string, what: RegExp): string[] => Array.from(text.matchAll(what), ([match]) => match);
const numbersIn = (text: string): string[] => found(text, /\bT-\d\d\b/g);
const rowsOf = (page: string): string[] => found(page, /^\| T-\d\d +\|/gm).flatMap(numbersIn);
const without = (numbers: readonly string[], others: readonly string[]): string[] =>
  numbers.filter((number) => !others.includes(number));

const ROWS = rowsOf(TEXTS.find(({ file }) => file === PAGE)?.text ?? '');

describe('the page of the faults of the plugin', () => {
  test('has a row for each number from T-01 on, in order', () => {
    expect(ROWS.length).toBeGreaterThan(30);
    expect(ROWS).toEqual(ROWS.map((_, index) => `T-${String(index + 1).padStart(2, '0')}`));
  });

  test('has a row for each number in a source, a test or a page', () => {
    const unlisted = TEXTS.flatMap(({ file, text }) =>
      without(numbersIn(text), ROWS).map((number) => `${file}: ${number}`),
    );
    expect(unlisted).toEqual([]);
  });
});
