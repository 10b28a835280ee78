import type { KohaError } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import type { Finding } from './finding.ts';
import { fault, warning } from './finding.ts';
import { attempt, faultOfFailure, permissionMend } from './koha-failure.ts';

/** No Koha has given this number to a patron: what is asked of it is refused or not found, and nothing is changed. */
const NOBODY = 2_147_483_647;
const NO_ITEM = 'passport-doctor-no-such-item';

const EDIT = 'borrowers: edit_borrowers';
const CIRCULATE = 'circulate: circulate_remaining_permissions';
const CATALOGUE = 'catalogue: 1';

/** How Koha takes a change of a patron who does not exist, as branch `branch`. */
async function tryChange({ koha }: Examinee, branch: string, category: string) {
  const body = { surname: null, library_id: branch, category_id: category };
  return attempt(koha.changePatron(NOBODY, body, { branch }));
}

function lacksChange(error: KohaError): Finding {
  const name = error.permission ?? EDIT;
  const problem = `the API user lacks the permission "${name}": a replaced card cannot be written to its copy`;
  return warning('permission_missing', problem, permissionMend(name), name);
}

/** Whether the API user may change patrons, and act for other branches than its own. */
async function checkChange(examinee: Examinee, { branches }: Facts): Promise<Finding[]> {
  const { copy } = examinee.library;
  const own = copy.branch.kind === 'fixed' ? [copy.branch.branch] : [];
  // Koha is asked to act as the branch of the scan, of whatever branch the copies are. Two branches are enough: at most one of
  // them is the API user's own.
  const wanted = branches?.slice(0, 2).map(({ branch }) => branch) ?? own;
  const findings: Finding[] = [];
  for (const branch of wanted) {
    const tried = await tryChange(examinee, branch, 'ANY');
    if ('error' in tried) {
      return tried.error.code === 'permission'
        ? [lacksChange(tried.error)]
        : [faultOfFailure(tried.error, 'to change copies', EDIT)];
    }
    if (tried.value.kind === 'refused' && tried.value.what === 'branch') {
      const mend =
        "Administration → System preferences → IndependentBranches: No; while it is on, only cards scanned at the API user's own branch can be served";
      findings.push(
        fault('branch_refused', `the API user may not act for the branch ${branch}`, mend, branch),
      );
    }
  }
  return findings;
}

/** What the service needs to make copies and loans, tried on a patron and an item that do not exist. */
export async function checkWriting(examinee: Examinee, facts: Facts): Promise<Finding[]> {
  const { koha, library } = examinee;
  const patronId = facts.visible?.patronId ?? null;
  const edit =
    patronId === null
      ? null
      : await attempt(koha.probeAttributeTypeByRefusal(patronId, library.copy.passportAttribute));
  const findings =
    edit !== null && 'error' in edit
      ? [faultOfFailure(edit.error, 'to create copies', EDIT)]
      : await checkChange(examinee, facts);
  if (!library.retry.checkout) return findings;
  const loan = await attempt(koha.findLoan(NOBODY, NOBODY));
  if ('error' in loan) findings.push(faultOfFailure(loan.error, 'to check items out', CIRCULATE));
  const item = await attempt(koha.findItem(NO_ITEM));
  if ('error' in item) findings.push(faultOfFailure(item.error, 'to find the item that waits', CATALOGUE));
  return findings;
}
