import type { Library } from '@passport/config';
import {
  type DeletionBlock,
  type DeletionFacts,
  type KohaPatron,
  KohaError,
  PATRONS_A_PAGE,
} from '@passport/koha-client';
import { copyCategoriesOf, homeKeysOf, isInForeignCategory } from '@passport/patron-rules';
import type { OpenKoha } from '../koha-clients.ts';
import type { CopyTypes } from './copy-types.ts';
import { attributeOf } from './describe-copy.ts';
import type { ProvenGone } from './proven-gone.ts';
import { inBatches } from './in-batches.ts';
import { buildPace } from './pace.ts';
import type { PlannedCopy } from './plan.ts';
import { readCopies } from './read-copies.ts';
import { rememberedKeys } from './remembered-keys.ts';

export type PurgeFinding =
  | 'purge'
  | 'deleted'
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
  /** Null: plan only. Otherwise called after each deletion, to write its receipt. */
  readonly deleted: ((copy: { readonly homeKey: string }) => Promise<void>) | null;
}

/** What a library has where it has no such plugin. */
export const NO_PLUGIN = 'no Patron Passport plugin that can say what keeps a copy: install the current one';

/** The Koha has no plugin that can say what keeps a patron. */
export class PluginMissing extends Error {
  override readonly name = 'PluginMissing';
}

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
function decide(the: PurgeCase, copy: KohaPatron, facts: DeletionFacts): PurgedCopy | null {
  const { library, types } = the;
  const keys = homeKeysOf(copy, { homeKeyAttribute: types.homeKey });
  const known = { lending: library.id, patron_id: copy.patronId, home_key: keys[0] ?? null };
  const because = reasonsFor(the, copy, keys, facts);
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
  the: PurgeCase,
  found: PurgedCopy,
  record: KohaPatron | undefined,
  facts: DeletionFacts,
): PurgedCopy | null {
  if (record === undefined || record.hidden) return { ...found, finding: 'unreadable' };
  if (attributeOf(record, the.types.passport) === null) return { ...found, finding: 'not_a_copy' };
  return decide(the, record, facts);
}

/**
 * Has one copy deleted, after another look at its record: others were deleted since the plan. Without an answer it is looked at: a
 * deletion that took place has its receipt. Null where the criteria are not true of it any more.
 */
async function remove(
  the: PurgeCase,
  copy: PurgedCopy,
  facts: DeletionFacts,
  deleted: NonNullable<PurgeCase['deleted']>,
): Promise<PurgedCopy | null> {
  const { koha, types, signal } = the;
  const { patron_id: patronId, home_key: homeKey } = copy;
  if (patronId === null || homeKey === null) return copy;
  try {
    const record = await koha.readPatron(patronId, { signal });
    if (record === null) return { ...copy, finding: 'gone' };
    const again = decideByRecord(the, copy, record, facts);
    if (again?.finding !== 'purge' || again.home_key !== homeKey) return again;
    if (!(await isStillMeant(the, again, homeKey))) return null;
    const result = await koha.deleteCopy({ patronId, homeKey, homeKeyType: types.homeKey }, { signal });
    if (result.kind === 'blocked') return { ...copy, blocks: result.blocks, finding: 'kept' };
    if (result.kind !== 'deleted') return { ...copy, finding: result.kind };
  } catch (error) {
    if (!(error instanceof KohaError)) throw error;
    if (error.effect === 'none' || !(await isAway(koha, patronId, signal)))
      return { ...copy, finding: 'failed' };
  }
  await deleted({ homeKey });
  return { ...copy, finding: 'deleted' };
}

/** Whoever goes for being gone alone is looked up at home once more. */
const isStillMeant = async ({ criteria }: PurgeCase, { because }: PurgedCopy, homeKey: string) =>
  because.some((reason) => reason !== 'gone') || (await criteria.gone?.isStillGone(homeKey)) === true;

async function isAway(koha: OpenKoha, patronId: number, signal: AbortSignal): Promise<boolean> {
  try {
    return (await koha.readPatron(patronId, { signal })) === null;
  } catch (error) {
    if (error instanceof KohaError) return false;
    throw error;
  }
}

/** Decides, and with `deleted` deletes, the copies at a library, 100 at a time. Throws KohaError, PluginMissing. */
export async function* purgeAt(the: PurgeCase): AsyncGenerator<PurgedCopy, void, undefined> {
  const { library, koha, signal, deleted } = the;
  const paced = buildPace(signal);
  const batches = inBatches(readCopies(koha, library, the.of, { signal }), PATRONS_A_PAGE);
  for await (const batch of batches) {
    const copies = batch.filter((row) => row !== null);
    const none = { patron_id: null, home_key: null, because: [], blocks: [], last_used: null };
    for (const row of batch) if (row === null) yield { lending: library.id, ...none, finding: 'unreadable' };
    const ids = copies.map(({ patronId }) => patronId);
    const facts = await paced(() => koha.readDeletionFacts(ids, { signal }));
    if (facts === null) throw new PluginMissing();
    const byId = new Map(facts.map((each) => [each.patronId, each]));
    const planned = copies.flatMap((copy) => {
      const known = byId.get(copy.patronId);
      const found = known === undefined ? null : decide(the, copy, known);
      return known === undefined || found === null ? [] : [{ id: copy.patronId, known, found }];
    });
    const toRead = planned.flatMap(({ id, found }) => (found.finding === 'purge' ? [id] : []));
    const { patrons } = await paced(() => koha.readPatrons(toRead, {}, { signal }));
    const records = new Map(patrons.map((record) => [record.patronId, record]));
    const remembered = await paced(() => rememberedKeys(koha, toRead, { signal }));
    if (remembered === null) throw new PluginMissing();
    for (const { id, known, found } of planned) {
      const byRecord = found.finding === 'purge' ? decideByRecord(the, found, records.get(id), known) : found;
      const isDoubtful = byRecord?.finding === 'purge' && remembered.get(id) !== byRecord.home_key;
      const sure: PurgedCopy | null = isDoubtful ? { ...byRecord, finding: 'not_remembered' } : byRecord;
      const done =
        sure?.finding === 'purge' && deleted !== null
          ? await paced(() => remove(the, sure, known, deleted))
          : sure;
      if (done !== null) yield done;
    }
  }
}
