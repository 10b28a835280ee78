import type { StoredRule } from '@passport/koha-client';
import { categoriesOf, unknownCategory } from './check-categories.ts';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, unchecked } from './finding.ts';
import { attempt, uncheckedFailure } from './koha-failure.ts';

/** Without the first, Koha checks nothing out; without the second, every checkout is due at once. */
const NEEDED_RULES = [
  ['maxissueqty', 'Current checkouts allowed'],
  ['issuelength', 'Loan period'],
] as const;

interface Wanted {
  readonly branch: string;
  readonly category: string;
}

const covers = ({ branch, category }: StoredRule, wanted: Wanted): boolean =>
  (branch === '*' || branch === wanted.branch) && (category === '*' || category === wanted.category);

/** Koha's order of precedence: the branch before the category before the item type, one of its own before that for all. */
const rank = ({ branch, category, itemType }: StoredRule): number =>
  (branch === '*' ? 0 : 4) + (category === '*' ? 0 : 2) + (itemType === '*' ? 0 : 1);

/** Whether the rule in force says 0 for each item type that a stored rule names, and for all others. */
function isZero(rules: readonly StoredRule[], wanted: Wanted): boolean {
  const covering = rules
    .filter((rule) => covers(rule, wanted))
    .toSorted((one, other) => rank(other) - rank(one));
  const itemTypes = new Set(['*', ...covering.map(({ itemType }) => itemType)]);
  const inForce = [...itemTypes].flatMap(
    (type) => covering.find(({ itemType }) => itemType === '*' || itemType === type) ?? [],
  );
  return inForce.length > 0 && inForce.every(({ value }) => /^0+$/.test(value));
}

function checkRule(
  rules: readonly StoredRule[],
  category: string,
  branches: readonly string[],
  [rule, column]: (typeof NEEDED_RULES)[number],
): Finding[] {
  const where = (affected: readonly string[]): string =>
    affected.length === branches.length ? '' : ` at ${affected.join(', ')}`;
  const page = 'Administration → Circulation and fines rules →';
  const without = branches.filter((branch) => !rules.some((each) => covers(each, { branch, category })));
  const zero = branches.filter((branch) => isZero(rules, { branch, category }));
  const findings: Finding[] = [];
  if (without.length > 0) {
    const problem = `no circulation rule (${rule}) applies to ${category}${where(without)}`;
    const remedy = `${page} a row with the patron category ${category} and all item types: fill in "${column}"`;
    findings.push(fault('no_circulation_rule', problem, remedy, category));
  }
  if (zero.length > 0) {
    const problem = `the circulation rules (${rule}) let ${category} borrow nothing${where(zero)}: they say 0`;
    const remedy = `${page} the row for ${category} and all item types, or else the one for all categories: "${column}" more than 0`;
    findings.push(fault('circulation_rule_zero', problem, remedy, category));
  }
  return findings;
}

/** Whether Koha knows a category, by a question that needs no permission for categories. */
async function isUnknown({ koha }: Examinee, category: string, branch: string): Promise<boolean> {
  const rules = NEEDED_RULES.map(([rule]) => rule);
  const answer = await attempt(koha.circulationRules({ category, branch, rules }));
  return 'value' in answer && answer.value.kind === 'unknown' && answer.value.what === 'category';
}

/** Whether patrons with the categories of the copies can borrow at all. */
export async function checkRules(examinee: Examinee, { capabilities, branches }: Facts): Promise<Finding[]> {
  const { copy } = examinee.library;
  const categories = categoriesOf(copy.category);
  const what = `whether a circulation rule applies to ${categories.join(', ')}`;
  if (!capabilities.circulationRules) {
    const remedy = 'check it yourself: Administration → Circulation and fines rules';
    return [unchecked('no_circulation_rule', `this release does not show ${what}`, remedy)];
  }
  const wanted =
    copy.branch.kind === 'fixed' ? [copy.branch.branch] : (branches ?? []).map(({ branch }) => branch);
  const known = wanted.length === 0 ? ['*'] : wanted;
  const findings: Finding[] = [];
  for (const rule of NEEDED_RULES) {
    const read = await attempt(examinee.koha.storedRules(rule[0]));
    if ('error' in read) {
      const knownPermission = 'circulate: circulate_remaining_permissions';
      return [uncheckedFailure(read.error, { code: 'no_circulation_rule', what, knownPermission })];
    }
    for (const category of categories) findings.push(...checkRule(read.value, category, known, rule));
  }
  const [branch = '*'] = known;
  for (const category of categories) {
    if (await isUnknown(examinee, category, branch)) findings.push(unknownCategory(category));
  }
  // A category that does not exist has no rule of its own either: one word about it is enough.
  const unknown = findings.filter(({ code }) => code === 'category_unknown').map(({ name }) => name);
  return findings.filter(({ code, name }) => code === 'category_unknown' || !unknown.includes(name));
}
