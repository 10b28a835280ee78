import type { DeletionBlock, DeletionFacts, KohaPatron } from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import { translateRedisError } from '@passport/runtime';
import { attempt } from '../../connect/koha-clients.ts';
import { splitHomeKey } from '../../places/home-key.ts';
import type { Report } from '../../program/index.ts';
import { type CopyEnds, goneOf } from './copy-ends.ts';
import { attributeOf, copyTypesOf, listCopies, rememberedKeys } from './copy.ts';
import {
  buildPace,
  CannotGoOn,
  type CopiesAt,
  type Ran,
  type Meanings,
  type Pace,
  type Place,
  type Planned,
  planList,
  printPlan,
  SHARED_MEANINGS,
} from './plan.ts';
import type { ProvenGone } from './proven-gone.ts';

const { not_a_copy, not_remembered, unreadable, failed } = SHARED_MEANINGS;
const MEANINGS = {
  not_a_copy,
  not_remembered,
  unreadable,
  failed,
  delete: { good: true, says: 'nothing keeps it: it can be deleted' },
  deleted: { good: true, says: 'was moved to the deleted patrons of the Koha' },
  settled: { good: true, says: 'an earlier run had deleted it: it has its receipt now' },
  unsettled: {
    says: 'it may be deleted, and has no receipt yet: repeat the command, which looks and writes it',
  },
  kept: { good: true, says: 'something keeps it' },
  unused_unknown: {
    says: 'Koha would not know of a later use: it does not track activity or keep the history',
  },
  merged: { says: 'a copy was merged into this own patron of the library: it is never deleted' },
  anonymized: { says: 'Koha has anonymised the record: its own jobs delete it' },
  not_this_copy: { says: 'it is not this copy any more' },
  gone: { good: true, says: 'somebody else has deleted it' },
} as const satisfies Meanings<string>;
export type DeletionFinding = keyof typeof MEANINGS;

/** `gone`: proven to have left home. `leaves`: its home library leaves. `erased`: the patron's data shall be erased. */
type DeletionReason = 'expired' | 'unused' | 'gone' | 'leaves' | 'erased';

/** Which copies are meant; one criterion that is true suffices. */
interface DeletionCriteria {
  readonly expired: boolean;
  /** Unused is what was not used on this day or later; null: not looked at. */
  readonly unusedSince: string | null;
  /** Null: not looked at. */
  readonly gone: Pick<ProvenGone, 'homeKeys' | 'isStillGone'> | null;
  /** All of them, and why. */
  readonly all: Extract<DeletionReason, 'leaves' | 'erased'> | null;
}

/** Copies without any criterion but whose they are. */
export const allCopies = (all: DeletionCriteria['all']): DeletionCriteria => ({
  expired: false,
  unusedSince: null,
  gone: null,
  all,
});

/** Why a copy is meant, and what keeps it. */
export interface DeletionDetails {
  readonly because: readonly DeletionReason[];
  readonly blocks: readonly DeletionBlock[];
  readonly last_used: string | null;
}

/** Of a library, or a record, of which no copy can be named. */
const NOTHING_KNOWN: DeletionDetails = { because: [], blocks: [], last_used: null };

/** What is the same for every command that deletes. */
export const DELETION = { todo: ['delete'], nothing: NOTHING_KNOWN } as const;

/** A copy that the criteria are true of, or may be. */
export type PlannedDeletion = Planned<DeletionFinding, DeletionDetails>;

interface DeletionWish {
  /** Only copies of this home library, where it is named. */
  readonly of: string | undefined;
  /** Only the copies of this patron, where one is named. */
  readonly homeKey?: string;
  readonly today: string;
  readonly criteria: DeletionCriteria;
}
type DeletionCase = Pick<Place, 'library' | 'koha' | 'signal'> &
  DeletionWish & { readonly homeKeyType: string };

/** What a library has where it has no such plugin. */
const NO_PLUGIN = 'no Patron Passport plugin that can say what keeps a copy: install the current one';

const isExpired = ({ expired, expiryDate }: KohaPatron, today: string): boolean =>
  expired === true || (expiryDate !== null && expiryDate < today);

function reasonsFor(
  { criteria: { expired, unusedSince, gone, all }, today }: DeletionCase,
  copy: KohaPatron,
  keys: readonly string[],
  { lastUsed }: DeletionFacts,
): readonly DeletionReason[] {
  const isUnused = unusedSince !== null && (lastUsed === null || lastUsed < unusedSince);
  return [
    ...(expired && isExpired(copy, today) ? ['expired' as const] : []),
    ...(isUnused ? ['unused' as const] : []),
    ...(keys.some((key) => gone?.homeKeys.has(key) === true) ? ['gone' as const] : []),
    ...(all === null ? [] : [all]),
  ];
}

/** What the criteria say of a copy: null where they do not concern it. */
function decide(wanted: DeletionCase, copy: KohaPatron, facts: DeletionFacts): PlannedDeletion | null {
  const { library } = wanted;
  const keys = homeKeysOf(copy, library.copy);
  const home_key = keys.find((key) => splitHomeKey(key) !== null) ?? null;
  const known = { lending: library.id, patron_id: copy.patronId, home_key };
  const because = reasonsFor(wanted, copy, keys, facts);
  if (because.length === 0) return null;
  const found = { ...known, because, blocks: facts.blocks, last_used: facts.lastUsed };
  const copyCategories = copyCategoriesOf(library.copy);
  if (copy.anonymized === true) return { ...found, finding: 'anonymized' };
  if (keys.length !== 1 || isInForeignCategory(copy, { copyCategories }))
    return { ...found, finding: 'merged' };
  if (facts.blocks.length > 0) return { ...found, finding: 'kept' };
  const isSure = facts.knowsUse || because.some((reason) => reason !== 'unused');
  return { ...found, finding: isSure ? 'delete' : 'unused_unknown' };
}

/**
 * Decides again by the record with all its attributes, which a list by home key need not show: without a passport it is the library's
 * own patron. Null where the criteria are not true of it any more.
 */
function decideByRecord(
  wanted: DeletionCase,
  found: PlannedDeletion,
  record: KohaPatron | undefined,
  facts: DeletionFacts,
): PlannedDeletion | null {
  if (record === undefined || record.hidden) return { ...found, finding: 'unreadable' };
  if (attributeOf(record, wanted.library.copy.passportAttribute) === null)
    return { ...found, finding: 'not_a_copy' };
  return decide(wanted, record, facts);
}

/**
 * Has one copy deleted, where its record still is as it was found: others were deleted since the plan. It is noted before, so that a deletion
 * that took place has its receipt whatever happens, and nothing of it is broken off. Null where the criteria are not true of it any more.
 * Throws KohaError where it was not deleted, CannotGoOn.
 */
async function remove(
  wanted: DeletionCase,
  ends: CopyEnds,
  copy: PlannedDeletion,
  record: KohaPatron | null,
  facts: DeletionFacts,
): Promise<DeletionFinding | PlannedDeletion | null> {
  const { koha, library } = wanted;
  const { patron_id: patronId, home_key: homeKey } = copy;
  if (patronId === null || homeKey === null) return copy;
  if (record === null) return 'gone';
  const again = decideByRecord(wanted, copy, record, facts);
  if (again?.finding !== 'delete' || again.home_key !== homeKey) return again;
  if (!(await isStillMeant(wanted, again, homeKey))) return null;
  const begun = await ends.begin(patronId, homeKey);
  if (begun === null) throw new CannotGoOn(`${library.id}: too many deletions have no answer from its Koha`);
  const tried = await attempt(koha.deleteCopy({ patronId, homeKey, homeKeyType: wanted.homeKeyType }));
  if ('error' in tried) {
    if (tried.error.effect === 'none') {
      await ends.notDeleted(begun);
      throw tried.error;
    }
    if ((await goneOf(koha, [patronId]))?.has(patronId) !== true) return 'unsettled';
  } else if (tried.value.kind !== 'deleted') {
    await ends.notDeleted(begun);
    return tried.value.kind === 'blocked'
      ? { ...copy, blocks: tried.value.blocks, finding: 'kept' }
      : tried.value.kind;
  }
  try {
    await ends.deleted(begun);
  } catch (error) {
    // The copy is named all the same; what comes next fails as well, and ends the run.
    if (translateRedisError(error).kind === 'bug') throw error;
    return 'unsettled';
  }
  return 'deleted';
}

/** Whoever goes for being gone alone is looked up at home once more. */
const isStillMeant = async ({ criteria }: DeletionCase, { because }: PlannedDeletion, homeKey: string) =>
  because.some((reason) => reason !== 'gone') || (await criteria.gone?.isStillGone(homeKey)) === true;

/** What is found of the copies of one batch that the criteria concern; `facts` gets what the plugin knows of them. */
async function* decideBatch(
  wanted: DeletionCase,
  copies: readonly KohaPatron[],
  paced: Pace,
  facts: Map<number, DeletionFacts>,
): AsyncGenerator<PlannedDeletion, void, undefined> {
  if (copies.length === 0) return;
  const { koha, library, signal } = wanted;
  const ids = copies.map(({ patronId }) => patronId);
  const known = await paced(() => koha.readDeletionFacts(ids, { signal }));
  if (known === null) throw new CannotGoOn(`${library.id} has ${NO_PLUGIN}`);
  for (const each of known) facts.set(each.patronId, each);
  const planned = copies.flatMap((copy) => {
    const fact = facts.get(copy.patronId);
    const found = fact === undefined ? null : decide(wanted, copy, fact);
    return fact === undefined || found === null ? [] : [{ id: copy.patronId, fact, found }];
  });
  const toRead = planned.flatMap(({ id, found }) => (found.finding === 'delete' ? [id] : []));
  const { patrons } = await paced(() => koha.readPatrons(toRead, {}, { signal }));
  const records = new Map(patrons.map((record) => [record.patronId, record]));
  const remembered = await paced(() => rememberedKeys(koha, toRead, { signal }));
  if (remembered === null) throw new CannotGoOn(`${library.id} has ${NO_PLUGIN}`);
  for (const { id, fact, found } of planned) {
    const sure = found.finding === 'delete' ? decideByRecord(wanted, found, records.get(id), fact) : found;
    if (sure?.finding === 'delete' && remembered.get(id) !== sure.home_key)
      yield { ...sure, finding: 'not_remembered' };
    else if (sure !== null) yield sure;
  }
}

/**
 * Decides, and deletes, the copies at a library; first and last it settles deletions that have no receipt yet. Throws KohaError,
 * CannotGoOn, and WrongUse where the library writes no home keys, by which alone a copy is known to be the one that is meant.
 */
export function deleteAt(place: Place, wish: DeletionWish): CopiesAt<DeletionFinding, DeletionDetails> {
  const { library, koha, signal, ends } = place;
  const wanted = { ...place, ...wish, homeKeyType: copyTypesOf(library).homeKey };
  const paced = buildPace(signal);
  const facts = new Map<number, DeletionFacts>();
  const { of, homeKey: only } = wish;
  const pages =
    only === undefined
      ? listCopies(koha, library, of, { signal })
      : koha.listCopies({ type: wanted.homeKeyType, prefix: only }, { signal });
  const isMeant = (copy: KohaPatron): boolean =>
    only === undefined || homeKeysOf(copy, library.copy).includes(only);
  return {
    plan: planList(library, pages, NOTHING_KNOWN, (copies) =>
      decideBatch(wanted, copies.filter(isMeant), paced, facts),
    ),
    async apply(copy, record) {
      const fact = facts.get(copy.patron_id ?? 0);
      return ends === null || fact === undefined ? copy : remove(wanted, ends, copy, record, fact);
    },
    paced,
    async settle() {
      const settled = (await ends?.settle(koha)) ?? [];
      return settled.map(({ patronId, homeKey }) => {
        const known = { lending: library.id, patron_id: patronId, home_key: homeKey };
        return { ...known, finding: 'settled', ...NOTHING_KNOWN };
      });
    },
  };
}

/** Prints every copy that the criteria are true of, and how many there are of each finding. Returns the exit code. */
export function printDeletions(
  ran: Ran<PlannedDeletion>,
  { showsUse, showsLending }: { readonly showsUse: boolean; readonly showsLending: boolean },
  report: Report,
): 0 | 1 {
  const lineOf = (copy: PlannedDeletion): string => {
    const { lending, patron_id: id, home_key: key, because, blocks, last_used: used, finding } = copy;
    const place = showsLending ? `${lending} ` : '';
    const keeps = blocks.length === 0 ? '' : ` by ${blocks.join(' ')}`;
    const lastUsed = showsUse ? `  last used ${used ?? 'unknown'}` : '';
    return `${place}${id ?? '-'}  ${key ?? '-'}  ${because.join(' ')}${lastUsed}  ${finding}${keeps}`;
  };
  return printPlan(ran, MEANINGS, { shows: 'all', lineOf }, report);
}
