import * as z from 'zod';
import { boundedList } from '../answers/json-body.ts';
import { type CallOptions, type Session, readFromPlugin } from '../transport/session.ts';

const ROWS_A_PAGE = 200;
/** Ten million of any currency: no patron owes more, and sums stay exact. */
const MOST_OWED = 1_000_000_000;
/** Nobody has as many checkouts. */
const MOST_OVERDUE = 10_000;

const rowSchema = z
  .object({
    patron_id: z.number().int().positive(),
    home_key: z.string().min(1).max(255),
    overdues: z.number().int().min(0).max(MOST_OVERDUE),
    amount: z.number().int().min(0).max(MOST_OWED),
  })
  .transform(({ patron_id: patronId, home_key: homeKey, overdues, amount }) => ({
    patronId,
    homeKey,
    overdues,
    amount,
  }));
const pageSchema = z.object({
  rows: boundedList(rowSchema, ROWS_A_PAGE),
  read: z.number().int().min(0).max(ROWS_A_PAGE),
  next: z.number().int().positive().nullable(),
});

/** What one copy owes: overdue checkouts, and hundredths of the library's currency. No title and no kind of fee. */
export type OwedByCopy = z.infer<typeof rowSchema>;

/** One page of copies: those that owe something, how many were looked at, and where the next page begins. */
export type OwedPage = z.infer<typeof pageSchema>;

/**
 * Reads what copies owe, the next page above the number `after`; those whose home key is of this type. Null where the Koha has no
 * plugin that can say. Throws KohaError.
 */
export async function readOwed(
  session: Session,
  { homeKeyType, after }: { readonly homeKeyType: string; readonly after: number },
  options?: CallOptions,
): Promise<OwedPage | null> {
  const query = { home_key_type: homeKeyType, after: String(after), limit: String(ROWS_A_PAGE) };
  const request = { operation: 'GET /contrib/passport/owed', query } as const;
  return readFromPlugin(session, request, pageSchema.refine(isInOrder(after)), options);
}

const isInOrder =
  (after: number) =>
  ({ rows, read, next }: OwedPage): boolean => {
    let last = after;
    const isSorted = rows.every(({ patronId }) => patronId > last && (last = patronId) > 0);
    return isSorted && rows.length <= read && (next === null || (next > after && next >= last));
  };
