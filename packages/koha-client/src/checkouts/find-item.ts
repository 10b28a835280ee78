import * as z from 'zod';
import { sameCard } from '@passport/contract';
import { listRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';

const MAX_BARCODE = 1_000;

const itemSchema = z.object({
  item_id: z.number().int().positive(),
  external_id: z.string().max(MAX_BARCODE).nullable(),
  biblio_id: z.number().int().positive().nullable().catch(null),
});
const checkoutSchema = z.object({
  checkout_id: z.number().int().positive(),
  patron_id: z.number().int().nullable(),
  item_id: z.number().int().nullable(),
});

/** The item with exactly this barcode, or null. Koha applies none of its barcode clean-up here. Throws KohaError. */
export async function findItem(
  session: Session,
  barcode: string,
  options?: CallOptions,
): Promise<{ readonly itemId: number; readonly biblioId: number | null } | null> {
  const externalId = barcode.trim();
  if (externalId === '') return null;
  const where = { external_id: externalId };
  const request = { operation: 'GET /items', where, key: 'item_id' } as const;
  const items = await listRows(session, request, itemSchema, options);
  const item = items.find(({ external_id: found }) => found !== null && sameCard(found, externalId));
  return item === undefined ? null : { itemId: item.item_id, biblioId: item.biblio_id };
}

/** The current checkout of this item to this patron, or null. Throws KohaError. */
export async function findCheckout(
  session: Session,
  patronId: number,
  itemId: number,
  options?: CallOptions,
): Promise<{ checkoutId: number } | null> {
  const where = { patron_id: patronId, item_id: itemId };
  const request = { operation: 'GET /checkouts', where, key: 'checkout_id' } as const;
  const checkouts = await listRows(session, request, checkoutSchema, options);
  const checkout = checkouts.find((row) => row.patron_id === patronId && row.item_id === itemId);
  return checkout === undefined ? null : { checkoutId: checkout.checkout_id };
}
