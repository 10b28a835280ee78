import { expect, test } from '@jest/globals';
import { seededRandom } from '@passport/testkit';

const draw = (seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: 50 }, () => random.int(1_000));
};

test('the same seed repeats its choices and another seed makes others', () => {
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('whole numbers stay below the limit and reach every value', () => {
  const random = seededRandom(1);
  expect(new Set(Array.from({ length: 200 }, () => random.int(4)))).toEqual(new Set([0, 1, 2, 3]));
});

test('nothing can be picked from an empty list', () => {
  expect(() => seededRandom(1).pick([])).toThrow(RangeError);
});
