import type { RuleScope } from '@passport/koha-client';
import { categoriesOf, unknownCategory } from './check-categories.ts';
import type { Examinee, Facts } from './examinee.ts';
import type { Finding } from './finding.ts';
import { fault, unchecked } from './finding.ts';
import { attempt, uncheckedFailure } from './koha-failure.ts';

/** Without the first Koha lends nothing, without the second every loan is due at once. */
const NEEDED_RULES = [
  ['maxissueqty', 'Current checkouts allowed'],
  ['issuelength', 'Loan period'],
] as const;

const covers = ({ branch, category }: RuleScope, wanted: { branch: string; category: string }): boolean =>
  (branch === '*' || branch === wanted.branch) && (category === '*' || category === wanted.category);

function uncovered(
  scopes: readonly RuleScope[],
  category: string,
  branches: readonly string[],
  [rule, column]: (typeof NEEDED_RULES)[number],
): Finding[] {
  const without = branches.filter((branch) => !scopes.some((scope) => covers(scope, { branch, category })));
  if (without.length === 0) return [];
  const where = without.length === branches.length ? '' : ` at ${without.join(', ')}`;
  const mend = `Administration → Circulation and fines rules → a row with the patron category ${category} and all item types: fill in "${column}"`;
  return [
    fault(
      'no_circulation_rule',
      `no circulation rule (${rule}) applies to ${category}${where}`,
      mend,
      category,
    ),
  ];
}

/** Whether Koha knows a category, by a question that needs no permission for categories. */
async function isUnknown({ koha }: Examinee, category: string, branch: string): Promise<boolean> {
  const rules = NEEDED_RULES.map(([rule]) => rule);
  const asked = await attempt(koha.circulationRules({ category, branch, rules }));
  return 'value' in asked && asked.value.kind === 'unknown' && asked.value.what === 'category';
}

/** Whether patrons with the categories of the copies can borrow at all. */
export async function checkRules(examinee: Examinee, { description, branches }: Facts): Promise<Finding[]> {
  const { copy } = examinee.library;
  const categories = categoriesOf(copy.category);
  const what = `whether a circulation rule applies to ${categories.join(', ')}`;
  if (!description.capabilities.circulationRules) {
    const mend = 'look yourself: Administration → Circulation and fines rules';
    return [unchecked('no_circulation_rule', `this release does not tell ${what}`, mend)];
  }
  const wanted =
    copy.branch.kind === 'fixed' ? [copy.branch.branch] : (branches ?? []).map(({ branch }) => branch);
  const known = wanted.length === 0 ? ['*'] : wanted;
  const findings: Finding[] = [];
  for (const rule of NEEDED_RULES) {
    const read = await attempt(examinee.koha.ruleScopes(rule[0]));
    if ('error' in read) {
      const knownPermission = 'circulate: circulate_remaining_permissions';
      return [uncheckedFailure(read.error, { code: 'no_circulation_rule', what, knownPermission })];
    }
    for (const category of categories) findings.push(...uncovered(read.value, category, known, rule));
  }
  const [branch = '*'] = known;
  for (const category of categories) {
    if (await isUnknown(examinee, category, branch)) findings.push(unknownCategory(category));
  }
  // A category that does not exist has no rule of its own either; one word about it is enough.
  const unknown = findings.filter(({ code }) => code === 'category_unknown').map(({ name }) => name);
  return findings.filter(({ code, name }) => code !== 'no_circulation_rule' || !unknown.includes(name));
}
