import * as z from 'zod';
import { KohaError } from '../errors/koha-error.ts';
import { listRows } from '../transport/list-rows.ts';
import { sameCard } from '../patrons/same-card.ts';
import type { CallOptions, Session } from '../transport/session.ts';

const MAX_BARCODE = 1_000;

const itemsSchema = z.array(
  z.object({ item_id: z.number().int().positive(), external_id: z.string().max(MAX_BARCODE).nullable() }),
);
const checkoutsSchema = z.array(
  z.object({
    checkout_id: z.number().int().positive(),
    patron_id: z.number().int().nullable(),
    item_id: z.number().int().nullable(),
  }),
);

/** The item with exactly this barcode, or null. Koha applies none of its barcode clean-up here. Throws KohaError. */
export async function findItem(
  session: Session,
  barcode: string,
  options?: CallOptions,
): Promise<{ itemId: number } | null> {
  const externalId = barcode.trim();
  if (externalId === '') return null;
  const request = {
    operation: 'GET /items',
    path: '/items',
    where: { external_id: externalId },
    key: 'item_id',
  } as const;
  const rows = await listRows(session, request, options);
  const item = parseRows(session, itemsSchema, rows, request.operation).find(
    ({ external_id: found }) => found !== null && sameCard(found, externalId),
  );
  return item === undefined ? null : { itemId: item.item_id };
}

/** The current checkout of this item to this patron, or null. Throws KohaError. */
export async function findCheckout(
  session: Session,
  patronId: number,
  itemId: number,
  options?: CallOptions,
): Promise<{ checkoutId: number } | null> {
  const where = { patron_id: patronId, item_id: itemId };
  const request = { operation: 'GET /checkouts', path: '/checkouts', where, key: 'checkout_id' } as const;
  const rows = await listRows(session, request, options);
  const checkout = parseRows(session, checkoutsSchema, rows, request.operation).find(
    (row) => row.patron_id === patronId && row.item_id === itemId,
  );
  return checkout === undefined ? null : { checkoutId: checkout.checkout_id };
}

function parseRows<T>(
  session: Session,
  schema: z.ZodType<T>,
  rows: unknown,
  operation: 'GET /items' | 'GET /checkouts',
): T {
  const parsed = schema.safeParse(rows);
  if (parsed.success) return parsed.data;
  const { library } = session;
  throw new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none' });
}
