import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault } from './finding.ts';

/** Whether Koha knows the branch that copies are made at. */
export function checkBranch({ library }: Examinee, { branches }: Facts): Finding[] {
  const { branch: choice } = library.copy;
  if (choice.kind === 'scan' || branches === null) return [];
  if (branches.some(({ branch }) => branch === choice.branch)) return [];
  const known = branches.map(({ branch }) => branch).join(', ');
  return [
    fault(
      'branch_unknown',
      `Koha has no branch ${choice.branch}`,
      `set copy.branch to one of ${known}; or Administration → Libraries → New library with the code ${choice.branch}`,
      choice.branch,
    ),
  ];
}
