import { attempt, type KohaError } from '@passport/koha-client';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';
import { faultOfFailure, permissionRemedy } from './koha-failure.ts';

/** With fewer patrons it is no wonder that all are of one branch. */
const ENOUGH_PATRONS = 20;
const SEE_ALL = 'borrowers: view_borrower_infos_from_any_libraries';
const INDEPENDENT = 'Administration → System preferences → IndependentBranches: No';

/**
 * What shows the hidden patrons: the permission, but under `IndependentBranches` nothing except switching that off.
 * Only the plugin can say which of the two holds.
 */
function remedyForSight(preference: unknown): string {
  if (preference === '1')
    return `${INDEPENDENT}; while it is on, no permission shows other branches' patrons`;
  const remedy = permissionRemedy(SEE_ALL);
  return preference === undefined ? `${remedy}; if it is already checked, ${INDEPENDENT}` : remedy;
}

/**
 * Whether Koha hides patrons of other branches from the API user, as it does by default. Koha does not say so: they are simply
 * missing. It shows only in that every patron the user sees is of one branch.
 */
export function* checkSight({
  visible,
  branches,
  about,
}: Pick<Facts, 'visible' | 'branches' | 'about'>): Findings {
  if (visible === null) return;
  const preference = about?.preferences['IndependentBranches'];
  const remedy = remedyForSight(preference);
  const name = preference === '1' ? 'IndependentBranches' : SEE_ALL;
  if (visible.patronId === null) {
    yield fault('patrons_hidden', 'the API user sees no patron at all, not even itself', remedy, name);
    return;
  }
  if (visible.elsewhere || branches === null || branches.length < 2) return;
  const seen = `the API user sees patrons of branch ${visible.branch ?? '?'} only`;
  if ((visible.total ?? 0) >= ENOUGH_PATRONS) {
    const problem = `${seen}, and this Koha has ${branches.length} branches: cards of all others are "nobody's"`;
    yield fault('patrons_hidden', problem, remedy, name);
  } else {
    const problem = `${seen}: whether others of its ${branches.length} branches have any cannot be seen`;
    yield unchecked('patrons_hidden', problem, `if they have: ${remedy}`, name);
  }
}

/** A card that nobody has, and a home key that no copy has; neither is a wildcard to Koha. */
const NO_CARD = 'passport-doctor-no-such-card';
const NO_HOME_KEY = 'passport-doctor:0';
/** No Koha has given this number to a patron: a request for it is refused or not found, and changes nothing. */
const NOBODY = 2_147_483_647;
const NO_ITEM = 'passport-doctor-no-such-item';

/** One look-up as the worker sends it, through the same method of the client, so that the two cannot differ. */
interface Query {
  readonly what: string;
  /** False: only a setting that nobody uses needs it. */
  readonly isUsed: boolean;
  /** A failure that is Koha's usual answer about nobody, or is reported by another check. */
  readonly isExpected?: (error: KohaError) => boolean;
  readonly send: () => Promise<unknown>;
}

/** The look-ups that the worker will send here, each about nobody. */
function* queriesOf(examinee: Examinee, { visible, branches }: Facts): Generator<Query, void, undefined> {
  const { koha, library, isHome, isLending, balances } = examinee;
  const { homeKeyAttribute, branch: choice } = library.copy;
  yield {
    what: 'the card lookup with attributes',
    isUsed: isLending || balances.includes(false),
    send: () => koha.findByCard(NO_CARD, { attributes: true, balance: false }),
  };
  if (isHome)
    yield {
      what: 'the card lookup with attributes and balance',
      isUsed: balances.includes(true),
      send: () => koha.findByCard(NO_CARD, { attributes: true, balance: true }),
    };
  const patronId = isLending ? (visible?.patronId ?? NOBODY) : NOBODY;
  yield { what: 'reading a patron by id', isUsed: true, send: () => koha.readPatron(patronId) };
  if (!isLending) return;
  if (homeKeyAttribute !== null)
    yield {
      what: 'the lookup by home key',
      isUsed: true,
      send: () => koha.findByAttribute(homeKeyAttribute, NO_HOME_KEY),
    };
  const branch = choice.kind === 'fixed' ? choice.branch : branches?.[0]?.branch;
  // Availability writes nothing but for a patron of a statistical category, so it is queried for a patron and an item that do not
  // exist. Koha fails at that with a 500 of its own; a refusal, a page or a missing route is what is looked for.
  if (library.retry.checkout && branch !== undefined)
    yield {
      what: 'availability',
      isUsed: true,
      isExpected: ({ status, branch: refused }) => status === 500 || refused !== null,
      send: () => koha.availability(NOBODY, NOBODY, { branch }),
    };
}

/** What failed in the same way: the same answer to the same operation. */
interface FailedQueries {
  readonly queries: Query[];
  readonly error: KohaError;
}

function findingOf({ queries, error }: FailedQueries, permission: string): Finding {
  const names = queries.map(({ what }) => what).join(', ');
  const found = faultOfFailure(error, `for ${names}`, permission);
  const problem = found.problem.includes(names) ? found.problem : `${names}: ${found.problem}`;
  if (queries.some(({ isUsed }) => isUsed)) return { ...found, problem };
  const { code, remedy, name, answered } = found;
  return warning(code, `${problem}; no eligibility.max_debt needs it yet`, remedy, name, answered);
}

/**
 * Sends every kind of look-up that the worker will send here, about nobody, so that the first run at a Koha says what does not fit.
 * `--probe` with an item queries availability for a real patron.
 */
export async function* checkQueries(examinee: Examinee, facts: Facts): FindingsOfCalls {
  if (facts.visible === null) return;
  const permission = examinee.isLending ? EDIT : 'borrowers: list_borrowers';
  const groups = new Map<string, FailedQueries>();
  for (const query of queriesOf(examinee, facts)) {
    const tried = await attempt(query.send());
    if ('value' in tried || query.isExpected?.(tried.error) === true) continue;
    const { error } = tried;
    const key = `${error.operation} ${error.code} ${error.status ?? 0}`;
    const group = groups.get(key) ?? { queries: [], error };
    group.queries.push(query);
    groups.set(key, group);
  }
  for (const group of groups.values()) yield findingOf(group, permission);
}

const EDIT = 'borrowers: edit_borrowers';
const CIRCULATE = 'circulate: circulate_remaining_permissions';
const CATALOGUE = 'catalogue: 1';

/** Whether the API user may change patrons, and act for other branches than its own. */
async function* checkChange({ koha, library: { copy } }: Examinee, { branches }: Facts): FindingsOfCalls {
  const own = copy.branch.kind === 'fixed' ? [copy.branch.branch] : [];
  // Requests act for the branch of the scan, whatever branch the copies have. Two branches are enough: at most one of
  // them is the API user's own.
  const wanted = branches?.slice(0, 2).map(({ branch }) => branch) ?? own;
  for (const branch of wanted) {
    const body = { surname: null, library_id: branch, category_id: 'ANY' };
    const tried = await attempt(koha.changePatron(NOBODY, body, { branch }));
    if ('error' in tried) {
      const { code, permission } = tried.error;
      if (code !== 'permission') return yield faultOfFailure(tried.error, 'to change copies', EDIT);
      const name = permission ?? EDIT;
      const problem = `the API user lacks the permission "${name}": a replaced card cannot be written to its copy`;
      return yield warning('permission_missing', problem, permissionRemedy(name), name);
    }
    if (tried.value.kind === 'refused' && tried.value.what === 'branch') {
      const remedy = `${INDEPENDENT}; while it is on, only cards scanned at the API user's own branch can be served`;
      yield fault('branch_refused', `the API user may not act for the branch ${branch}`, remedy, branch);
    }
  }
}

/** What the service needs to create copies and check items out, tried on a patron and an item that do not exist. */
export async function* checkWriting(examinee: Examinee, facts: Facts): FindingsOfCalls {
  const { koha, library } = examinee;
  const patronId = facts.visible?.patronId ?? null;
  const type = library.copy.passportAttribute;
  const edit = patronId === null ? null : await attempt(koha.probeAttributeTypeByRefusal(patronId, type));
  if (edit !== null && 'error' in edit) yield faultOfFailure(edit.error, 'to create copies', EDIT);
  else yield* checkChange(examinee, facts);
  if (!library.retry.checkout) return;
  const checkout = await attempt(koha.findCheckout(NOBODY, NOBODY));
  if ('error' in checkout) yield faultOfFailure(checkout.error, 'to check items out', CIRCULATE);
  const item = await attempt(koha.findItem(NO_ITEM));
  if ('error' in item) yield faultOfFailure(item.error, 'to find the item that waits', CATALOGUE);
}
