import { expect, test } from '@jest/globals';
import type { StoredRule } from '@passport/koha-client';
import { branchesWithout, ruleInForce, saysZero } from '@passport/set-up';
import * as fc from 'fast-check';

const BRANCHES = ['CPL', 'MPL', 'FPL'];
const CATEGORY = 'PT';

const oneOf = (...words: string[]) => fc.constantFrom('*', ...words);
const rule: fc.Arbitrary<StoredRule> = fc.record({
  branch: oneOf('CPL', 'MPL'),
  category: oneOf(CATEGORY, 'OTHER'),
  itemType: oneOf('BK', 'DVD'),
  value: fc.constantFrom('0', '00', '5', ''),
});

/** Rule by rule, as Koha would look each of them up. */
function oneByOne(rules: readonly StoredRule[]) {
  const inForce = (branch: string): StoredRule[] => {
    const wanted = { branch, category: CATEGORY };
    const types = ['*', 'BK', 'DVD'].filter((type) => type === '*' || rules.some(isOf(branch, type)));
    return types.flatMap((type) => ruleInForce(rules, wanted, type) ?? []);
  };
  return {
    none: BRANCHES.filter((branch) => !rules.some(isOf(branch))),
    zero: BRANCHES.filter((branch) => inForce(branch).length > 0 && inForce(branch).every(saysZero)),
  };
}
const isOf =
  (branch: string, type?: string) =>
  (each: StoredRule): boolean =>
    ['*', branch].includes(each.branch) &&
    ['*', CATEGORY].includes(each.category) &&
    (type === undefined || each.itemType === type);

test('the rules of all branches at once say the same as each of them by itself', () => {
  const unique = fc.uniqueArray(rule, {
    maxLength: 14,
    selector: ({ branch, category, itemType }) => `${branch} ${category} ${itemType}`,
  });
  fc.assert(
    fc.property(unique, (rules) => {
      expect(branchesWithout(rules, CATEGORY, BRANCHES)).toEqual(oneByOne(rules));
    }),
    { numRuns: 2_000 },
  );
});

test('as many rules and branches as a Koha may send are looked at once each, and not by one another', () => {
  const branches = Array.from({ length: 2_000 }, (_, place) => `B${place}`);
  let looked = 0;
  const rules = Array.from({ length: 50_000 }, (_, place) => ({
    category: CATEGORY,
    itemType: `T${place}`,
    value: '0',
    get branch() {
      looked += 1;
      return place % 2 === 0 ? '*' : `B${place % 2_000}`;
    },
  }));
  expect(branchesWithout(rules, CATEGORY, branches).zero).toHaveLength(2_000);
  expect(looked).toBeLessThan(10 * rules.length);
});
