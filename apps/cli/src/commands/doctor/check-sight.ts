import type { Facts } from './examinee.ts';
import { type Finding, fault, unchecked } from './finding.ts';
import { permissionRemedy } from './koha-failure.ts';

/** With fewer patrons it is no wonder that all are of one branch. */
const ENOUGH_PATRONS = 20;
const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';
const INDEPENDENT = 'Administration → System preferences → IndependentBranches: No';

/**
 * What shows the hidden patrons: the permission, but under `IndependentBranches` nothing except switching that off.
 * Only the plugin can say which of the two holds.
 */
function remedyFor(about: Facts['about']): string {
  const preference = about?.preferences['IndependentBranches'];
  if (preference === '1')
    return `${INDEPENDENT}; while it is on, no permission shows other branches' patrons`;
  const remedy = permissionRemedy(SEE_ALL);
  return preference === undefined ? `${remedy}; if it is already checked, ${INDEPENDENT}` : remedy;
}

/**
 * Whether Koha hides patrons of other branches from the API user, as it does by default. Koha does not say so: they are simply
 * missing. It shows only in that every patron the user sees is of one branch.
 */
export function checkSight({
  visible,
  branches,
  about,
}: Pick<Facts, 'visible' | 'branches' | 'about'>): Finding[] {
  if (visible === null) return [];
  const remedy = remedyFor(about);
  const name = about?.preferences['IndependentBranches'] === '1' ? 'IndependentBranches' : SEE_ALL;
  if (visible.patronId === null) {
    return [fault('patrons_hidden', 'the API user sees no patron at all, not even itself', remedy, name)];
  }
  if (visible.elsewhere || branches === null || branches.length < 2) return [];
  const problem = `the API user sees patrons of branch ${visible.branch ?? '?'} only, and this Koha has ${branches.length} branches: cards of all others are "nobody's"`;
  if ((visible.total ?? 0) >= ENOUGH_PATRONS) return [fault('patrons_hidden', problem, remedy, name)];
  const perhaps = `the API user sees patrons of branch ${visible.branch ?? '?'} only: whether others of its ${branches.length} branches have any cannot be seen`;
  return [unchecked('patrons_hidden', perhaps, `if they have: ${remedy}`, name)];
}
