import type { CategoryChoice, Consortium } from '@passport/config';
import { attempt, type KohaCategory, type StoredRule } from '@passport/koha-client';
import { passesCategoryFilter } from '@passport/patron-rules';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';
import { uncheckedFailure } from './koha-failure.ts';

/** Every category that a copy can get. */
export function categoriesOf(choice: CategoryChoice | null): string[] {
  if (choice === null) return [];
  if (choice.kind === 'one') return [choice.category];
  const otherwise = choice.otherwise === null ? [] : [choice.otherwise];
  return [...new Set([...Object.values(choice.map), ...otherwise])];
}

/** Whether Koha knows the branch that copies are made at. */
export function* checkBranch({ library }: Examinee, { branches }: Facts): Findings {
  const { branch: choice } = library.copy;
  if (choice.kind === 'scan' || branches === null) return;
  if (branches.some(({ branch }) => branch === choice.branch)) return;
  const known = branches.map(({ branch }) => branch).join(', ');
  const remedy = `set copy.branch to one of ${known}; or Administration → Libraries → New library with the code ${choice.branch}`;
  yield fault('branch_unknown', `Koha has no branch ${choice.branch}`, remedy, choice.branch);
}

const page = (category: string): string => `Administration → Patron categories → ${category} → Edit →`;

function* checkCategory(category: KohaCategory, { about }: Facts): Findings {
  const { category: code, enrolmentFee, type, canBeGuarantee } = category;
  if (type === 'X') {
    const problem = `${code} is a statistical category, and its patrons cannot borrow`;
    yield fault('category_statistical', problem, `${page(code)} Category type: Adult`, code);
  }
  if ((enrolmentFee ?? 0) > 0) {
    const problem = `each copy is charged the enrolment fee of ${code}, which can then block the checkout`;
    yield fault('enrolment_fee', problem, `${page(code)} Enrollment fee: empty`, code);
  }
  if (type !== 'C' && canBeGuarantee !== true) return;
  const remedy = `${page(code)} Category type: Adult and Can be guarantee: No; or System preferences → ChildNeedsGuarantor: don't`;
  if (about === null) {
    const problem = `whether patrons of ${code} need a guarantor (ChildNeedsGuarantor), only the plugin can report`;
    yield unchecked('category_needs_guarantor', problem, remedy, code);
  } else if (about.preferences['ChildNeedsGuarantor'] === '1') {
    const problem = `patrons of ${code} need a guarantor (ChildNeedsGuarantor), which no copy can have`;
    yield fault('category_needs_guarantor', problem, remedy, code);
  }
}

const unknownCategory = (code: string): Finding =>
  fault(
    'category_unknown',
    `Koha has no patron category ${code}`,
    `Administration → Patron categories → New category with the code ${code}; or set copy.category to an existing one`,
    code,
  );

/** What is wrong with the patron categories of the copies; leaves those that are not there. */
export async function* checkCategories(
  { koha, library }: Examinee,
  facts: Facts,
): FindingsOfCalls<readonly string[]> {
  const wanted = categoriesOf(library.copy.category);
  const what = `type and enrolment fee of the category ${wanted.join(', ')}`;
  if (!facts.capabilities.patronCategories) {
    const problem = `this release does not show ${what}, nor whether it exists`;
    const remedy =
      'check it yourself: Administration → Patron categories; no enrolment fee, and the type Adult';
    yield unchecked('category_unknown', problem, remedy);
    return [];
  }
  const read = await attempt(koha.categories());
  if ('error' in read) {
    const knownPermission = 'parameters: manage_patron_categories';
    yield uncheckedFailure(read.error, { code: 'enrolment_fee', what, knownPermission });
    return [];
  }
  const unknown = wanted.filter((code) => !read.value.some(({ category }) => category === code));
  for (const code of unknown) yield unknownCategory(code);
  for (const category of read.value)
    if (wanted.includes(category.category)) yield* checkCategory(category, facts);
  return unknown;
}

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

/** The rule in force for patrons of a category at a branch, and one item type; undefined: none applies. */
export const ruleInForce = (
  rules: readonly StoredRule[],
  wanted: Wanted,
  type: string,
): StoredRule | undefined =>
  rules
    .filter((rule) => covers(rule, wanted) && (rule.itemType === '*' || rule.itemType === type))
    .toSorted((one, other) => rank(other) - rank(one))[0];

/** Whether it lets nobody borrow anything. */
export const saysZero = ({ value }: StoredRule): boolean => /^0+$/.test(value);

/** By item type, the rule that goes before the others of its kind. */
type ByItemType = ReadonlyMap<string, StoredRule>;

function strongest(rules: readonly StoredRule[]): ByItemType {
  const best = new Map<string, StoredRule>();
  for (const rule of rules) {
    const other = best.get(rule.itemType);
    if (other === undefined || rank(rule) > rank(other)) best.set(rule.itemType, rule);
  }
  return best;
}

/** Of two rules for an item type and for all, the one in force. */
const inForceOf = (rules: ByItemType, type: string): StoredRule | undefined => {
  const [own, all] = [rules.get(type), rules.get('*')];
  return own === undefined || (all !== undefined && rank(all) > rank(own)) ? all : own;
};

/**
 * The branches where no rule for a category applies, and where the one in force says 0 for each item type that a stored rule names, and for
 * all others. Each rule is looked at once, however many branches there are: a Koha can have 50,000.
 */
export function branchesWithout(
  rules: readonly StoredRule[],
  category: string,
  branches: readonly string[],
): { readonly none: string[]; readonly zero: string[] } {
  const covering = rules.filter((rule) => rule.category === '*' || rule.category === category);
  const byBranch = new Map<string, StoredRule[]>();
  for (const rule of covering) {
    const others = byBranch.get(rule.branch);
    if (others === undefined) byBranch.set(rule.branch, [rule]);
    else others.push(rule);
  }
  const shared = strongest(byBranch.get('*') ?? []);
  const isOpen = (type: string): boolean => {
    const rule = inForceOf(shared, type);
    return rule !== undefined && !saysZero(rule);
  };
  const open = new Set([...shared.keys()].filter(isOpen));
  const isZero = (branch: string): boolean => {
    const own = strongest(branch === '*' ? [] : (byBranch.get(branch) ?? []));
    const isShut = [...own.keys()].every((type) => {
      const rule = inForceOf(own, type);
      return rule !== undefined && saysZero(rule);
    });
    if (!isShut) return false;
    // A branch's own rule for all item types goes before what holds for all branches.
    if (own.has('*')) return true;
    return [...own.keys()].filter((type) => open.has(type)).length === open.size;
  };
  const has = (branch: string): boolean => shared.size > 0 || (byBranch.get(branch) ?? []).length > 0;
  return {
    none: branches.filter((branch) => !has(branch)),
    zero: branches.filter((branch) => has(branch) && isZero(branch)),
  };
}

function* checkRule(
  rules: readonly StoredRule[],
  category: string,
  branches: readonly string[],
  [rule, column]: (typeof NEEDED_RULES)[number],
): Findings {
  const where = (affected: readonly string[]): string =>
    affected.length === branches.length ? '' : ` at ${affected.join(', ')}`;
  const rulesPage = 'Administration → Circulation and fines rules →';
  const { none: without, zero } = branchesWithout(rules, category, branches);
  if (without.length > 0) {
    const problem = `no circulation rule (${rule}) applies to ${category}${where(without)}`;
    const remedy = `${rulesPage} a row with the patron category ${category} and all item types: fill in "${column}"`;
    yield fault('no_circulation_rule', problem, remedy, category);
  }
  if (zero.length > 0) {
    const problem = `the circulation rules (${rule}) let ${category} borrow nothing${where(zero)}: they say 0`;
    const remedy = `${rulesPage} the row for ${category} and all item types, or else the one for all categories: "${column}" more than 0`;
    yield fault('circulation_rule_zero', problem, remedy, category);
  }
}

/** Whether patrons with the categories of the copies can borrow at all; `unknown` are those that are not there. */
export async function* checkRules(
  examinee: Examinee,
  { capabilities, branches }: Facts,
  unknown: readonly (string | null)[],
): FindingsOfCalls {
  const { copy } = examinee.library;
  const what = `whether a circulation rule applies to ${categoriesOf(copy.category).join(', ')}`;
  if (!capabilities.circulationRules) {
    const remedy = 'check it yourself: Administration → Circulation and fines rules';
    yield unchecked('no_circulation_rule', `this release does not show ${what}`, remedy);
    return;
  }
  const wanted =
    copy.branch.kind === 'fixed' ? [copy.branch.branch] : (branches ?? []).map(({ branch }) => branch);
  const known = wanted.length === 0 ? ['*'] : wanted;
  // A category that does not exist has no rule of its own either: one word about it is enough.
  const categories = categoriesOf(copy.category).filter((category) => !unknown.includes(category));
  for (const rule of NEEDED_RULES) {
    const read = await attempt(examinee.koha.storedRules(rule[0]));
    if ('error' in read) {
      const knownPermission = 'circulate: circulate_remaining_permissions';
      yield uncheckedFailure(read.error, { code: 'no_circulation_rule', what, knownPermission });
      return;
    }
    for (const category of categories) yield* checkRule(read.value, category, known, rule);
  }
}

/** The map of a lending library that has no category for what is not in it; null when every home category has one. */
export function closedMapOf({ library, isLending }: Examinee): Readonly<Record<string, string>> | null {
  const { category } = library.copy;
  if (!isLending || category?.kind !== 'by_home_category') return null;
  return category.otherwise === null ? category.map : null;
}

/** T-13: the home categories whose patrons are shared and have no category here, as a closed map leaves them out. */
export async function* checkHomeCategories(
  lending: Examinee,
  home: Examinee,
  { agreements }: Consortium,
): FindingsOfCalls {
  const map = closedMapOf(lending);
  const agreement = agreements.at(lending.library.id).find((each) => each.home === home.library.id);
  if (map === null || agreement === undefined) return;
  const { id, copy, share } = home.library;
  const read = await attempt(home.koha.categories());
  if ('error' in read) {
    const problem = `whether every patron category of ${id} has one here cannot be seen`;
    const remedy = `give an otherwise in copy.category, or let doctor see ${id}'s categories: check "parameters: manage_patron_categories"`;
    yield unchecked('category_unmapped', problem, remedy, id);
    return;
  }
  // A patron there with the category of copies is a copy, and no copy is a home record.
  const ofCopies = categoriesOf(copy.category);
  for (const { category: code } of read.value) {
    if (ofCopies.includes(code) || map[code] !== undefined) continue;
    if (passesCategoryFilter(share.categories, code) !== true) continue;
    if (passesCategoryFilter(agreement.categories, code) !== true) continue;
    const problem = `patrons of ${id} with the category ${code} have no category here`;
    const remedy =
      'add it to copy.category.by_home_category, give an otherwise, or leave it out with share or the agreement';
    yield warning('category_unmapped', problem, remedy, `${id} ${code}`);
  }
}
