import type { Consortium, Library } from '@passport/config';
import { type Capabilities, KohaError, type Person } from '@passport/koha-client';
import type { Answer } from './answer.ts';
import { cardsOfCopy, decideCandidates, libraryById } from './candidates.ts';
import { carriesRestriction } from './carried-restriction.ts';
import type { ExplainedCopy, Explanation } from './explanation.ts';
import { passportTypes } from './is-copy.ts';
import { decideEligibility } from './eligibility.ts';
import { type Misconfiguration, meaningOf } from './failure.ts';
import { decideLocalMatch, type LocalRecords } from './local-match.ts';
import { locate, type Located } from './locate.ts';
import { comparedFields, personToSearch } from './compare-persons.ts';
import { copyCategoriesOf } from './merged-copy.ts';
import { buildPatronCopy, type PatronCopy } from './patron-copy.ts';

/** What a dry run needs. Every function only reads. */
export interface Question {
  readonly consortium: Consortium;
  readonly lendingId: string;
  readonly card: string;
  readonly branch: string;
  /** The day of the scan where it would be made (`YYYY-MM-DD`). */
  readonly scannedOn: string;
  readonly signal?: AbortSignal;
  query(libraryId: string, cards: readonly string[], signal: AbortSignal): Promise<Answer>;
  /** What the lending Koha's own description allows. */
  capabilities(): Promise<Pick<Capabilities, 'patronProperties' | 'confirmNotDuplicate' | 'pluginRoutes'>>;
  /** Whether the lending Koha's plugin restricts copies for the service. */
  takesRestrictions(): Promise<boolean>;
  /** The lending Koha's branches; null where the API user may not see them. */
  branches(): Promise<readonly string[] | null>;
  /** Searches the lending Koha for a person of this name and birth date. */
  hasPossibleDuplicate(person: Person): Promise<boolean>;
  /** Called before that search, since the lending library learns of the person by it: which fields it sends. */
  noteSearch(search: Search): Promise<void>;
  /** Looks at the lending Koha itself, by these cards and by home key. */
  lookLocally(homeKey: string, cards: readonly string[]): Promise<Pick<LocalRecords, 'byCard' | 'byHomeKey'>>;
  /** Whether a library has given up one of its patron numbers: nobody there, or anonymised. */
  isGone(libraryId: string, patronId: number): Promise<boolean>;
}

/** A search by name: whose, and what of them is sent. */
export interface Search {
  readonly home: string;
  readonly homeKey: string;
  readonly fields: readonly string[];
}

const UNDECIDED = {
  homes: [],
  silent: [],
  refused: [],
  judgement: null,
  notSharedBecause: null,
  reasons: [],
  problem: null,
  copy: null,
  local: null,
  lookAlike: false,
} as const satisfies Partial<Explanation>;

/**
 * Runs the worker's own decisions on a card without writing anything: who is queried, where it is at home, the decision, the copy's
 * fields by name, and who has the card at the lending library. Throws KohaError when the lending Koha cannot be read.
 */
export async function explain(question: Question): Promise<Explanation> {
  const { consortium, lendingId, card } = question;
  const lending = libraryById(consortium, lendingId);
  const candidates = decideCandidates(consortium, lendingId, card);
  const types = passportTypes(consortium);
  const undecided = { ...UNDECIDED, lending: lendingId, queried: [] };
  if (candidates.length === 0) return { ...undecided, located: 'not_a_card' };

  const queried = new Set<string>();
  const located = await locate({
    candidates,
    passportTypes: types,
    ...consortium.locate,
    signal: question.signal,
    query(libraryId, cards, signal) {
      queried.add(libraryId);
      return question.query(libraryId, cards, signal);
    },
  });
  const ids = candidates.map(({ home }) => home.id);
  const known = { ...undecided, queried: ids.filter((id) => queried.has(id)) };
  switch (located.kind) {
    case 'nowhere':
      return { ...known, located: located.kind };
    case 'no_answer':
      return { ...known, located: located.kind, ...unheard(located) };
    case 'gone':
      return { ...known, located: located.kind, ...unheard(located), homes: [located.home] };
    case 'ambiguous':
      return { ...known, located: located.kind, ...unheard(located), homes: located.homes };
    case 'refused': {
      const problem = { library: located.library, ...located.problem };
      return { ...known, located: located.kind, ...unheard(located), problem };
    }
    case 'found':
      return { ...known, ...unheard(located), ...(await explainFound(question, lending, located)) };
    default:
      return located satisfies never;
  }
}

type Found = Extract<Located, { kind: 'found' }>;

async function explainFound(
  question: Question,
  lending: Library,
  { candidate: { home, agreement }, patron: atHome }: Found,
): Promise<Pick<Explanation, 'located' | 'homes'> & Partial<Explanation>> {
  const { scannedOn, branch, consortium } = question;
  const number = atHome.cardnumber ?? '';
  const [card, ...others] = cardsOfCopy(consortium, home, { scanned: question.card, number });
  const patron = { ...atHome, cardnumber: card };
  const found = { located: 'found', homes: [home.id] } as const;
  const judgement = decideEligibility({ patron, home, agreement, lending, scannedOn });
  if (judgement.kind === 'not_shared') {
    return { ...found, judgement: judgement.kind, notSharedBecause: judgement.because };
  }
  if (judgement.kind === 'not_eligible') {
    return { ...found, judgement: judgement.kind, reasons: judgement.reasons };
  }
  const capabilities = await question.capabilities();
  const accepts = (property: string): boolean => capabilities.patronProperties.has(property);
  const copy = buildPatronCopy({ patron, home, agreement, lending, branch, scannedOn, accepts });
  if (copy.kind === 'misconfigured') {
    return { ...found, judgement: judgement.kind, problem: { library: lending.id, ...copy.problem } };
  }
  const restricted = carriesRestriction(patron, lending);
  const obstacle = restricted ? await restrictionProblem(question, capabilities) : null;
  if (obstacle !== null) {
    return { ...found, judgement: judgement.kind, problem: { library: lending.id, ...obstacle } };
  }
  const local = decideLocalMatch({
    card,
    otherCards: others,
    scanned: question.card,
    homeId: home.id,
    homeKey: copy.homeKey,
    homeKeyAttribute: lending.copy.homeKeyAttribute,
    copyCategories: copyCategoriesOf(lending.copy),
    homeRecord: patron,
    passportTypes: passportTypes(consortium),
    ...(await question.lookLocally(copy.homeKey, [card, ...others])),
  });
  const isTaken =
    local.kind === 'copy_of_other_number' && !(await question.isGone(home.id, local.otherNumber));
  const match = isTaken ? ({ kind: 'card_of_another', patronId: local.patronId } as const) : local;
  const decided = { ...found, judgement: judgement.kind, copy: nameCopy(copy, restricted), local: match };
  if (match.kind !== 'nobody') return decided;
  // Nothing is created, so that Koha's own search, which comes with that, is made like where a library only observes.
  const person = personToSearch(copy.body, { ...lending.copy, mode: 'observe' }, capabilities);
  if (person !== null && (await isThere(question, { home: home.id, homeKey: copy.homeKey }, person))) {
    return { ...decided, lookAlike: true };
  }
  const missing = await missingBranch(question, [branch, copy.body.library_id]);
  if (missing === null) return decided;
  return { ...decided, problem: { library: lending.id, what: 'branch', name: missing } };
}

/** Why nobody could restrict the copy, as the worker finds it before it makes one. */
async function restrictionProblem(
  { takesRestrictions }: Question,
  { pluginRoutes }: Pick<Capabilities, 'pluginRoutes'>,
): Promise<Misconfiguration | null> {
  try {
    return pluginRoutes && (await takesRestrictions()) ? null : { what: 'other', name: 'plugin' };
  } catch (error) {
    const meaning = error instanceof KohaError ? meaningOf(error) : null;
    if (meaning?.kind !== 'refused') throw error;
    return meaning.problem;
  }
}

async function isThere(
  { noteSearch, hasPossibleDuplicate }: Question,
  whose: Omit<Search, 'fields'>,
  person: Person,
): Promise<boolean> {
  await noteSearch({ ...whose, fields: comparedFields(person) });
  return hasPossibleDuplicate(person);
}

/** The first of these that the lending Koha does not have; its database compares codes without regard to case. */
async function missingBranch(question: Question, wanted: readonly string[]): Promise<string | null> {
  const branches = (await question.branches())?.map((code) => code.toLowerCase());
  if (branches === undefined) return null;
  return wanted.find((code) => !branches.includes(code.toLowerCase())) ?? null;
}

function nameCopy(
  { body, fields, homeKey }: Extract<PatronCopy, { kind: 'copy' }>,
  restricted: boolean,
): ExplainedCopy {
  return {
    category: body.category_id,
    branch: body.library_id,
    homeKey,
    expiryDate: typeof body['expiry_date'] === 'string' ? body['expiry_date'] : null,
    fields,
    properties: Object.keys(body),
    attributeTypes: Array.isArray(body['extended_attributes'])
      ? (body['extended_attributes'] as { type: string }[]).map(({ type }) => type)
      : [],
    restricted,
  };
}

function unheard({ silent, refused }: Pick<Explanation, 'silent' | 'refused'>) {
  return { silent, refused };
}
