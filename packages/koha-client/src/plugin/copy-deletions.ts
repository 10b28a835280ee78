import * as z from 'zod';
import { PATRONS_A_PAGE } from '../patrons/patron-page.ts';
import { boundedList, parseJsonBody } from '../answers/json-body.ts';
import { type CallOptions, type Session, readFromPlugin } from '../transport/session.ts';

/** What keeps a copy from being deleted; `other` is what a newer plugin names. */
const DELETION_BLOCKS = [
  'checkouts',
  'debt',
  'credit',
  'guarantees',
  'holds',
  'recalls',
  'bookings',
  'article_requests',
  'ill_requests',
  'lists',
  'restriction',
  'protected',
  'staff',
  'anonymous_patron',
  'other',
] as const;
export type DeletionBlock = (typeof DELETION_BLOCKS)[number];

const blocksSchema = boundedList(z.enum(DELETION_BLOCKS).catch('other'), 20);
const factsSchema = z
  .object({
    patron_id: z.number().int().positive(),
    blocks: blocksSchema,
    last_used: z.iso.date().nullable(),
    knows_use: z.boolean(),
  })
  .transform(({ patron_id: patronId, blocks, last_used: lastUsed, knows_use: knowsUse }) => ({
    patronId,
    blocks,
    lastUsed,
    knowsUse,
  }));
const pageSchema = z.object({ patrons: boundedList(factsSchema, PATRONS_A_PAGE) });
const refusedSchema = z.object({ error_code: z.string(), blocks: blocksSchema.optional() });

/** What the plugin knows of a patron who may be deleted. */
export type DeletionFacts = z.infer<typeof factsSchema>;

/**
 * Reads what keeps these patrons, at most PATRONS_A_PAGE, and when they were last used (`knowsUse`: Koha would know of a later use).
 * Null where the Koha has no plugin that can say. Throws KohaError.
 */
export async function readDeletionFacts(
  session: Session,
  patronIds: readonly number[],
  options?: CallOptions,
): Promise<readonly DeletionFacts[] | null> {
  if (patronIds.length === 0) return [];
  const query = { patron_ids: patronIds.join(',') };
  const request = { operation: 'GET /contrib/passport/deletions', query } as const;
  const page = await readFromPlugin(session, request, pageSchema, options);
  return page?.patrons ?? null;
}

/** `not_this_copy`: the patron does not have this home key, or another beside it. */
export type DeletionResult =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'not_this_copy' }
  | { readonly kind: 'blocked'; readonly blocks: readonly DeletionBlock[] };

/** Has the plugin check one copy again and delete it, in one transaction. Throws KohaError. */
export async function deleteCopy(
  session: Session,
  copy: { readonly patronId: number; readonly homeKey: string; readonly homeKeyType: string },
  options?: CallOptions,
): Promise<DeletionResult> {
  const operation = 'POST /contrib/passport/deletions';
  const json = { patron_id: copy.patronId, home_key: copy.homeKey, home_key_type: copy.homeKeyType };
  const answer = await session.call({ operation, json }, options);
  if (answer.status === 204) return { kind: 'deleted' };
  const refusal = refusedSchema.safeParse(parseJsonBody(answer)).data;
  if (answer.status === 404 && refusal?.error_code === 'not_found') return { kind: 'gone' };
  if (answer.status === 409 && refusal?.error_code === 'not_this_copy') return { kind: 'not_this_copy' };
  if (answer.status === 409 && refusal?.error_code === 'blocked') {
    return { kind: 'blocked', blocks: refusal.blocks ?? [] };
  }
  throw session.failure(answer);
}
