import type { Facts } from './examinee.ts';
import type { Finding } from './finding.ts';
import { fault, unchecked } from './finding.ts';

/** With fewer patrons it is no wonder that all are of one branch. */
const ENOUGH_PATRONS = 20;
const SEE_ALL = 'view_borrower_infos_from_any_libraries';

/**
 * Whether Koha hides patrons of other branches from the API user. Koha does not say so: they are simply missing. It shows only in
 * that every patron the user sees is of one branch.
 */
export function checkSight({ visible, branches, about }: Facts): Finding[] {
  if (visible === null) return [];
  if (visible.patronId === null) {
    const mend = `the API user's account → More → Set permissions → tick "borrowers: ${SEE_ALL}"`;
    return [fault('patrons_hidden', 'the API user sees no patron at all, not even itself', mend)];
  }
  const several = (branches?.length ?? 0) > 1;
  if (visible.elsewhere || !several) return [];
  const problem = `the API user sees patrons of branch ${visible.branch ?? '?'} only, and this Koha has ${branches?.length ?? 0} branches`;
  const cause =
    about?.preferences['IndependentBranches'] === '1'
      ? 'System preferences → IndependentBranches: No'
      : 'Library groups → the group → untick "Limit patron data access by group"';
  const mend = `the API user's account → More → Set permissions → tick "borrowers: ${SEE_ALL}"; or Administration → ${cause}`;
  if ((visible.total ?? 0) < ENOUGH_PATRONS) {
    return [
      unchecked(
        'patrons_hidden',
        `${problem}: whether more are hidden cannot be seen`,
        `if they have patrons: ${mend}`,
      ),
    ];
  }
  return [fault('patrons_hidden', problem, mend)];
}
