import type { Consortium, Library } from '@passport/config';
import { type SetUpFindingCode, isSetUpFinding } from '@passport/contract';
import { categoriesOf } from './check-categories.ts';
import type { Finding } from './finding.ts';

/** A permission as Koha names them: `borrowers: edit_borrowers`, or `catalogue: 1`. */
const PERMISSION = /^[a-z_]{1,40}: (?:[a-z_]{1,60}|1)$/;

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
