import type { Consortium, Library } from '@passport/config';
import { type SetUpFindingCode, isSetUpFinding } from '@passport/contract';
import { categoriesOf } from './check-categories.ts';
import type { Finding } from './finding.ts';

/** A permission as Koha names them: `borrowers: edit_borrowers`, or `catalogue: 1`. */
const PERMISSION = /^[a-z_]{1,40}: (?:[a-z_]{1,60}|1)$/;

/** What a call that fails leaves unseen, by the code under which it is unchecked. */
const HIDDEN_BY: { readonly [code in SetUpFindingCode]?: readonly SetUpFindingCode[] } = {
  branch_unknown: ['branch_unknown'],
  enrolment_fee: ['category_unknown', 'category_statistical', 'category_needs_guarantor', 'enrolment_fee'],
  no_circulation_rule: ['no_circulation_rule', 'circulation_rule_zero'],
  plugin_settings: [
    'extended_attributes_off',
    'attribute_type_missing',
    'attribute_type_unique',
    'attribute_type_not_unique',
    'attribute_type_mandatory',
    'attribute_type_in_opac',
    'plugin_settings',
    'plugin_user',
    'plugin_library',
    'plugin_secret',
    'plugin_receiver',
    'plugin_tables',
    'plugin_finding',
    'plugin_off',
    'plugin_cards',
    'sip_branch',
    'few_workers',
  ],
};

/** One finding at a library as it may be stored: a code, and the name it is about. */
type KeptFinding = Pick<Finding, 'level' | 'name'> & { readonly code: SetUpFindingCode };

/** What may be stored of findings: codes, and names that are words of the configuration or of Koha's own. What else a Koha says is not kept. */
export function findingsToKeep(
  findings: readonly Finding[],
  { copy }: Library,
  { libraries }: Consortium,
): KeptFinding[] {
  const { branch } = copy;
  const ours = new Set<string | null>([
    copy.passportAttribute,
    copy.homeKeyAttribute,
    ...categoriesOf(copy.category),
    ...(branch.kind === 'fixed' ? [branch.branch] : []),
    ...libraries.map(({ id }) => id),
    'IndependentBranches',
    'ExtendedPatronAttributes',
  ]);
  const isKept = (name: string): boolean => ours.has(name) || PERMISSION.test(name);
  return findings.flatMap(({ code, level, name }) =>
    isSetUpFinding(code) ? [{ code, level, name: name !== null && isKept(name) ? name : null }] : [],
  );
}

/**
 * The findings of a check together with the faults that were known before and that it could not see this time, because a call failed: nobody
 * has repaired them. Where a permission is missing, which has a name, it is not for want of an answer.
 */
export function withUnseenFaults(
  found: readonly KeptFinding[],
  before: readonly KeptFinding[],
): readonly KeptFinding[] {
  const hidden = new Set(
    found.flatMap(({ code, level, name }) =>
      level === 'unchecked' && name === null ? (HIDDEN_BY[code] ?? []) : [],
    ),
  );
  const isFound = (known: KeptFinding): boolean =>
    found.some(({ code, level, name }) => level === 'fault' && code === known.code && name === known.name);
  return [
    ...found,
    ...before.filter((known) => known.level === 'fault' && hidden.has(known.code) && !isFound(known)),
  ];
}
