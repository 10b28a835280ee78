import { describe, expect, test } from '@jest/globals';
import { projectTexts } from '../harness/project-texts.ts';

const PAGE = 'docs/faults-of-the-plugin.md';
/** That the plugin has next to no tests: every test here is for it. */
const ITS_TESTS = 'T-34';
/** A list of other tests names no test. */
const NAMES_OTHERS = /\/documents\/(?:faults-page|security-page)\.test\.ts$/;
const TEXTS = projectTexts();
const NAMES_TESTS =
  /\.test\.ts$|^(?:apps|packages)\/[\w-]+\/(?:test|fault)\/.*\.ts$|^apps\/koha-plugin\/t\/.*\.t$/;

const found = (text: string, what: RegExp): string[] => Array.from(text.matchAll(what), ([match]) => match);
const numbersIn = (text: string): string[] => found(text, /\bT-\d\d\b/g);
const rowsOf = (page: string): string[] => found(page, /^\| T-\d\d +\|/gm).flatMap(numbersIn);
/** The numbers that names of tests begin with, in Jest and in Perl. */
const testedIn = (source: string): string[] =>
  found(source, /(?<=['"`])(?:T-\d\d )+(?=\S)|(?<=\bdescribe\(['"`])T-\d\d(?=['"`])/g).flatMap(numbersIn);
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

  test('has no row without a test', () => {
    const tests = TEXTS.filter(({ file }) => NAMES_TESTS.test(file) && !NAMES_OTHERS.test(file));
    expect(tests.length).toBeGreaterThan(250);
    const tested = tests.flatMap(({ text }) => testedIn(text));
    expect(without(ROWS, [...tested, ITS_TESTS])).toEqual([]);
  });
});
