import { expect, test } from '@jest/globals';
import { projectTexts } from '../harness/project-texts.ts';

const FOLDER = 'docs/decisions/';
const TEXTS = projectTexts();
const textOf = (file: string): string => TEXTS.find((each) => each.file === file)?.text ?? '';
const PAGES = TEXTS.map(({ file }) => file)
  .filter((file) => file.startsWith(FOLDER) && file !== `${FOLDER}README.md`)
  .map((file) => file.slice(FOLDER.length))
  .toSorted();
/** A link whose text is or ends with the number of the decision that it leads to. */
const LINKS = /\[(?:[Dd]ecisions? )?(\d+)\]\([^)]*?(\d{4})-[a-z0-9-]+\.md[^)]*\)/g;

test('the decisions are numbered from 1 on without gaps, each in its name and its heading', () => {
  expect(PAGES.length).toBeGreaterThan(40);
  const numbers = PAGES.map((_, index) => index + 1);
  expect(PAGES.map((page) => Number(page.slice(0, 4)))).toEqual(numbers);
  expect(PAGES.map((page) => Number(/^# (\d+)\. \S/.exec(textOf(FOLDER + page))?.[1]))).toEqual(numbers);
});

test('the index has one line for each decision, and no other', () => {
  const lines = textOf(`${FOLDER}README.md`).matchAll(/^- \[\d+\]\((\d{4}-[a-z0-9-]+\.md)\) \S/gm);
  expect(Array.from(lines, ([, page = '']) => page).toSorted()).toEqual(PAGES);
});

test('every link to a decision has its number', () => {
  const links = TEXTS.filter(({ file }) => file.endsWith('.md')).flatMap(({ file, text }) =>
    Array.from(text.matchAll(LINKS), ([link, shown, number]) => ({ file, link, shown, number })),
  );
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter(({ shown, number }) => Number(shown) !== Number(number))).toEqual([]);
});
