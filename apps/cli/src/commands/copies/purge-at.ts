import type { Library } from '@passport/config';
import { type DeletionBlock, type DeletionFacts, type KohaPatron, KohaError } from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import { translateRedisError } from '@passport/runtime';
import type { OpenKoha } from '../../connect/koha-clients.ts';
import { type CopyEnds, goneOf } from './copy-ends.ts';
import type { CopyTypes } from './copy-types.ts';
import { attributeOf, splitHomeKey } from './describe-copy.ts';
import { CannotGoOn, eachCopy } from './go-through.ts';
import type { ProvenGone } from './proven-gone.ts';
import { buildPace } from './pace.ts';
import type { PlannedCopy } from './plan.ts';
import { readCopies } from './read-copies.ts';
import { rememberedKeys } from './remembered-keys.ts';

export type PurgeFinding =
  | 'purge'
  | 'deleted'
  | 'settled'
  | 'unsettled'
  | 'kept'
  | 'unused_unknown'
  | 'merged'
  | 'not_a_copy'
  | 'not_remembered'
  | 'anonymized'
  | 'not_this_copy'
  | 'gone'
  | 'unreadable'
  | 'failed';

/** `gone`: proven to have left home. `leaves`: its home library leaves. */
export type PurgeReason = 'expired' | 'unused' | 'gone' | 'leaves';

/** Which copies are meant; one criterion that is true suffices. */
export interface PurgeCriteria {
  readonly expired: boolean;
  /** Unused is what was not used on this day or later; null: not looked at. */
  readonly unusedSince: string | null;
  /** Null: not looked at. */
  readonly gone: Pick<ProvenGone, 'homeKeys' | 'isStillGone'> | null;
  /** All of them. */
  readonly leaves: boolean;
}

/** A copy that the criteria are true of, or may be. */
export interface PurgedCopy extends PlannedCopy<PurgeFinding> {
  readonly because: readonly PurgeReason[];
  readonly blocks: readonly DeletionBlock[];
  readonly last_used: string | null;
}

export interface PurgeCase {
  readonly library: Library;
  readonly types: CopyTypes;
  readonly koha: OpenKoha;
  /** Only copies of this home library, where it is named. */
  readonly of: string | undefined;
  readonly today: string;
  readonly criteria: PurgeCriteria;
  readonly signal: AbortSignal;
  /** Null: plan only. */
  readonly ends: CopyEnds | null;
}

/** What a library has where it has no such plugin. */
const NO_PLUGIN = 'no Patron Passport plugin that can say what keeps a copy: install the current one';

/** A row of a library of which no copy can be named. */
export const nobodyAt = <F extends PurgeFinding>({ id }: Library, finding: F) => ({
  lending: id,
  patron_id: null,
  home_key: null,
  because: [],
  blocks: [],
  last_used: null,
  finding,
});

const isExpired = ({ expired, expiryDate }: KohaPatron, today: string): boolean =>
  expired === true || (expiryDate !== null && expiryDate < today);

function reasonsFor(
  { criteria: { expired, unusedSince, gone, leaves }, today }: PurgeCase,
  copy: KohaPatron,
  keys: readonly string[],
  { lastUsed }: DeletionFacts,
): readonly PurgeReason[] {
  const isUnused = unusedSince !== null && (lastUsed === null || lastUsed < unusedSince);
  return [
    ...(expired && isExpired(copy, today) ? ['expired' as const] : []),
    ...(isUnused ? ['unused' as const] : []),
    ...(keys.some((key) => gone?.homeKeys.has(key) === true) ? ['gone' as const] : []),
    ...(leaves ? ['leaves' as const] : []),
  ];
}

/** What the criteria say of a copy: null where they do not concern it. */
function decide(purge: PurgeCase, copy: KohaPatron, facts: DeletionFacts): PurgedCopy | null {
  const { library, types } = purge;
  const keys = homeKeysOf(copy, { homeKeyAttribute: types.homeKey });
  const home_key = keys.find((key) => splitHomeKey(key) !== null) ?? null;
  const known = { lending: library.id, patron_id: copy.patronId, home_key };
  const because = reasonsFor(purge, copy, keys, facts);
  if (because.length === 0) return null;
  const found = { ...known, because, blocks: facts.blocks, last_used: facts.lastUsed };
  const copyCategories = copyCategoriesOf(library.copy);
  if (copy.anonymized === true) return { ...found, finding: 'anonymized' };
  if (keys.length !== 1 || isInForeignCategory(copy, { copyCategories }))
    return { ...found, finding: 'merged' };
  if (facts.blocks.length > 0) return { ...found, finding: 'kept' };
  const isSure = facts.knowsUse || because.some((reason) => reason !== 'unused');
  return { ...found, finding: isSure ? 'purge' : 'unused_unknown' };
}

/**
 * Decides again by the record with all its attributes, which a list by home key need not show: without a passport it is the library's
 * own patron. Null where the criteria are not true of it any more.
 */
function decideByRecord(
  purge: PurgeCase,
  found: PurgedCopy,
  record: KohaPatron | undefined,
  facts: DeletionFacts,
): PurgedCopy | null {
  if (record === undefined || record.hidden) return { ...found, finding: 'unreadable' };
  if (attributeOf(record, purge.types.passport) === null) return { ...found, finding: 'not_a_copy' };
  return decide(purge, record, facts);
}

/**
 * Has one copy deleted, after another look at its record: others were deleted since the plan. It is noted before, so that a deletion
 * that took place has its receipt whatever happens, and nothing of it is broken off. Null where the criteria are not true of it any more.
 */
async function remove(
  purge: PurgeCase,
  ends: CopyEnds,
  copy: PurgedCopy,
  facts: DeletionFacts,
): Promise<PurgedCopy | null> {
  const { koha, types, library } = purge;
  const { patron_id: patronId, home_key: homeKey } = copy;
  if (patronId === null || homeKey === null) return copy;
  let begun: Awaited<ReturnType<CopyEnds['begin']>> = null;
  try {
    const record = await koha.readPatron(patronId);
    if (record === null) return { ...copy, finding: 'gone' };
    const again = decideByRecord(purge, copy, record, facts);
    if (again?.finding !== 'purge' || again.home_key !== homeKey) return again;
    if (!(await isStillMeant(purge, again, homeKey))) return null;
    begun = await ends.begin(patronId, homeKey);
    if (begun === null)
      throw new CannotGoOn(`${library.id}: too many deletions have no answer from its Koha`);
    const result = await koha.deleteCopy({ patronId, homeKey, homeKeyType: types.homeKey });
    if (result.kind !== 'deleted') {
      await ends.notDeleted(begun);
      return result.kind === 'blocked'
        ? { ...copy, blocks: result.blocks, finding: 'kept' }
        : { ...copy, finding: result.kind };
    }
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    if (begun === null) return { ...copy, finding: 'failed' };
    if (error.effect === 'none') {
      await ends.notDeleted(begun);
      return { ...copy, finding: 'failed' };
    }
    if ((await goneOf(koha, [patronId]))?.has(patronId) !== true) return { ...copy, finding: 'unsettled' };
  }
  try {
    await ends.deleted(begun);
  } catch (error) {
    // The copy is named all the same; what comes next fails as well, and ends the run.
    if (translateRedisError(error).kind === 'bug') throw error;
    return { ...copy, finding: 'unsettled' };
  }
  return { ...copy, finding: 'deleted' };
}

/** Whoever goes for being gone alone is looked up at home once more. */
const isStillMeant = async ({ criteria }: PurgeCase, { because }: PurgedCopy, homeKey: string) =>
  because.some((reason) => reason !== 'gone') || (await criteria.gone?.isStillGone(homeKey)) === true;

/** What is found of the copies of one batch that the criteria concern; `facts` gets what the plugin knows of them. */
async function* decideBatch(
  purge: PurgeCase,
  copies: readonly KohaPatron[],
  paced: ReturnType<typeof buildPace>,
  facts: Map<number, DeletionFacts>,
): AsyncGenerator<PurgedCopy, void, undefined> {
  const { koha, library, signal } = purge;
  const ids = copies.map(({ patronId }) => patronId);
  const known = await paced(() => koha.readDeletionFacts(ids, { signal }));
  if (known === null) throw new CannotGoOn(`${library.id} has ${NO_PLUGIN}`);
  for (const each of known) facts.set(each.patronId, each);
  const planned = copies.flatMap((copy) => {
    const fact = facts.get(copy.patronId);
    const found = fact === undefined ? null : decide(purge, copy, fact);
    return fact === undefined || found === null ? [] : [{ id: copy.patronId, fact, found }];
  });
  const toRead = planned.flatMap(({ id, found }) => (found.finding === 'purge' ? [id] : []));
  const { patrons } = await paced(() => koha.readPatrons(toRead, {}, { signal }));
  const records = new Map(patrons.map((record) => [record.patronId, record]));
  const remembered = await paced(() => rememberedKeys(koha, toRead, { signal }));
  if (remembered === null) throw new CannotGoOn(`${library.id} has ${NO_PLUGIN}`);
  for (const { id, fact, found } of planned) {
    const sure = found.finding === 'purge' ? decideByRecord(purge, found, records.get(id), fact) : found;
    if (sure?.finding === 'purge' && remembered.get(id) !== sure.home_key)
      yield { ...sure, finding: 'not_remembered' };
    else if (sure !== null) yield sure;
  }
}

/**
 * Decides, and with `ends` deletes, the copies at a library; first and last it settles deletions that have no receipt yet. Throws
 * KohaError, CannotGoOn.
 */
export async function* purgeAt(purge: PurgeCase): AsyncGenerator<PurgedCopy, void, undefined> {
  const { library, koha, signal, ends, of } = purge;
  const paced = buildPace(signal);
  const facts = new Map<number, DeletionFacts>();
  const remainders = async (): Promise<readonly PurgedCopy[]> =>
    ((await ends?.settle(koha)) ?? []).map(({ patronId, homeKey }) => ({
      ...nobodyAt(library, 'settled'),
      patron_id: patronId,
      home_key: homeKey,
    }));
  yield* await remainders();
  yield* eachCopy(readCopies(koha, library, of, { signal }), {
    unreadable: nobodyAt(library, 'unreadable'),
    decide: (copies) => decideBatch(purge, copies, paced, facts),
    write: async (copy) => {
      const fact = facts.get(copy.patron_id ?? 0);
      if (ends === null || copy.finding !== 'purge' || fact === undefined) return copy;
      return paced(() => remove(purge, ends, copy, fact));
    },
  });
  yield* await remainders();
}
