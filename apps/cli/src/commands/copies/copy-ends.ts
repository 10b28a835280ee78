import type { Library } from '@passport/config';
import {
  type BegunDeletion,
  type DisclosureReceipt,
  beginDeletion,
  dropDeletion,
  openReceipts,
  readCopyRecords,
  readDeletions,
} from '@passport/queue/copies';
import type { CliDeps } from '../../program/index.ts';
import { attempt, type OpenKoha } from '../../connect/koha-clients.ts';
import type { OpenQueue } from '../../connect/with-queue.ts';
import { splitHomeKey } from '../../places/home-key.ts';

/** What was sent for a deletion long ago has ended at the Koha: a copy that is still there was not deleted. */
const ENDED_AFTER_MS = 3_600_000;

export type Deletion = NonNullable<Awaited<ReturnType<typeof beginDeletion>>>;

/** What is put on record of the adoption and the ends of copies at a lending library, so that each has a receipt whatever interrupts the run. */
export interface CopyEnds {
  /** After a copy has its home key: from then on it is followed. `fields` are those that equal home's. */
  adopted(patronId: number, homeKey: string, fields: readonly string[]): Promise<void>;
  /** Before a copy becomes the library's own patron: from then on nobody follows it. `homeKeys` are those that the record shows. */
  release(patronId: number, homeKeys: readonly string[]): Promise<void>;
  /** Before a copy is deleted. Null where too many deletions have no answer. */
  begin(patronId: number, homeKey: string): Promise<Deletion | null>;
  /** After it was deleted: writes the receipt. */
  deleted(deletion: BegunDeletion): Promise<void>;
  /** After it certainly was not deleted, unless an earlier run may have done it. */
  notDeleted(deletion: Deletion): Promise<void>;
  /** Settles what earlier runs have begun, by what the Koha has; returns those that were deleted, each with its receipt now. */
  settle(koha: OpenKoha): Promise<readonly BegunDeletion[]>;
}

/** Opens the records for one library. */
export function openCopyEnds(
  { redis, consortium, now }: OpenQueue,
  { id: lending }: Library,
  { newId }: Pick<CliDeps, 'newId'>,
): CopyEnds {
  const { receiptsMs } = consortium.retention;
  const receipts = openReceipts(redis);
  const append = async (
    what: NonNullable<DisclosureReceipt['what']>,
    { patronId, homeKey, eventId, atMs }: BegunDeletion,
    fields: readonly string[] = [],
  ): Promise<void> => {
    const home = splitHomeKey(homeKey)?.home ?? '';
    const at = new Date(atMs).toISOString();
    const receipt = { at, home, lending, homeKey, fields, eventId, patronId, what };
    await receipts.append(receipt, await now(), receiptsMs);
  };
  /** Whose copy it is by the service's own record; what the lending Koha shows can be another. */
  const recordedKey = async (patronId: number): Promise<string | undefined> =>
    (await readCopyRecords(redis, lending, [patronId])).get(patronId)?.homeKey;
  const deleted = (deletion: BegunDeletion): Promise<void> => append('deleted', deletion);
  return {
    async adopted(patronId, homeKey, fields) {
      // Its last act: what a run that ended before it has begun has no receipt yet.
      await append('adopted', { patronId, homeKey, eventId: newId(), atMs: await now() }, fields);
    },
    async release(patronId, homeKeys) {
      const recorded = await recordedKey(patronId);
      const [eventId, atMs] = [newId(), await now()];
      for (const homeKey of new Set([...(recorded === undefined ? [] : [recorded]), ...homeKeys])) {
        if (splitHomeKey(homeKey) !== null) await append('released', { patronId, homeKey, eventId, atMs });
      }
    },
    async begin(patronId, homeKey) {
      const key = (await recordedKey(patronId)) ?? homeKey;
      const deletion = { patronId, homeKey: key, eventId: newId(), atMs: await now() };
      return beginDeletion(redis, lending, deletion, receiptsMs);
    },
    deleted,
    async notDeleted({ patronId, isNew }) {
      if (isNew) await dropDeletion(redis, lending, patronId);
    },
    async settle(koha) {
      const begun = await readDeletions(redis, lending);
      const gone = await goneOf(
        koha,
        begun.map(({ patronId }) => patronId),
      );
      const settled = begun.filter(({ patronId }) => gone?.has(patronId) === true);
      for (const deletion of settled) await deleted(deletion);
      const nowMs = await now();
      for (const { patronId, atMs } of begun) {
        const isThere = gone?.has(patronId) === false;
        if (isThere && nowMs - atMs > ENDED_AFTER_MS) await dropDeletion(redis, lending, patronId);
      }
      return settled;
    },
  };
}

/**
 * Which of these records are gone, by the plugin, which sees those of all branches; null where it does not say. Never broken off: the end
 * of a copy has to be known.
 */
export async function goneOf(
  koha: OpenKoha,
  patronIds: readonly number[],
): Promise<ReadonlySet<number> | null> {
  const known = await attempt(koha.readDeletionFacts(patronIds));
  if ('error' in known || known.value === null) return null;
  const there = new Set(known.value.map(({ patronId }) => patronId));
  return new Set(patronIds.filter((id) => !there.has(id)));
}
