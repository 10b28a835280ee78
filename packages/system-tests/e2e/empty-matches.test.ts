import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What is in the brackets that open before `from`. */
function inBrackets(source: string, from: number): string {
  let depth = 1;
  let end = from;
  for (; depth > 0 && end < source.length; end += 1) {
    const char = source.charAt(end);
    if ('([{'.includes(char)) depth += 1;
    else if (')]}'.includes(char)) depth -= 1;
  }
  return source.slice(from, end - 1);
}

/** The lines that match a part of an object against an empty one. */
function emptyMatches(source: string): number[] {
  return Array.from(source.matchAll(/\b(?:toMatchObject|objectContaining)\(/g))
    .filter(({ 0: call, index }) => /(?<![(=]\s*)\{\s*\}/.test(inBrackets(source, index + call.length)))
    .map(({ index }) => source.slice(0, index).split('\n').length);
}

test('no test compares a part of an object with {}, which any object matches', () => {
  const files = ['apps', 'packages']
    .flatMap((part) =>
      readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' }).map((name) => join(part, name)),
    )
    .filter((file) => /^\w+\/[\w-]+\/(?:test|e2e|fault|browser)\/.*\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(200);
  expect(
    files.flatMap((file) =>
      emptyMatches(readFileSync(join(ROOT, file), 'utf8')).map((line) => `${file}:${line}`),
    ),
  ).toEqual([]);
  expect(emptyMatches('expect(a).toMatchObject'.concat('({\n  blockers: {},\n});'))).toEqual([1]);
});
