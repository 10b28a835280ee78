import type { KohaError } from '@passport/koha-client';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, warning } from './finding.ts';
import { attempt, faultOfFailure, permissionRemedy } from './koha-failure.ts';

/** No Koha has given this number to a patron: a request for it is refused or not found, and changes nothing. */
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
  return warning('permission_missing', problem, permissionRemedy(name), name);
}

/** Whether the API user may change patrons, and act for other branches than its own. */
async function checkChange(examinee: Examinee, { branches }: Facts): Promise<Finding[]> {
  const { copy } = examinee.library;
  const own = copy.branch.kind === 'fixed' ? [copy.branch.branch] : [];
  // Requests act for the branch of the scan, whatever branch the copies have. Two branches are enough: at most one of
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
      const remedy =
        "Administration → System preferences → IndependentBranches: No; while it is on, only cards scanned at the API user's own branch can be served";
      findings.push(
        fault('branch_refused', `the API user may not act for the branch ${branch}`, remedy, branch),
      );
    }
  }
  return findings;
}

/** What the service needs to create copies and check items out, tried on a patron and an item that do not exist. */
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
  const checkout = await attempt(koha.findCheckout(NOBODY, NOBODY));
  if ('error' in checkout) findings.push(faultOfFailure(checkout.error, 'to check items out', CIRCULATE));
  const item = await attempt(koha.findItem(NO_ITEM));
  if ('error' in item) findings.push(faultOfFailure(item.error, 'to find the item that waits', CATALOGUE));
  return findings;
}
