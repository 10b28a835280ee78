import * as z from 'zod';
import { bodyOf } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { boundedList } from '../answers/json-body.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** The plugin ends a page with the day that fills 500 rows; more than this in one day is no library's. */
const MOST_ROWS = 5_000;
/** Of one home library at one branch in one day. */
const MOST_A_DAY = 10_000;

const count = z.number().int().min(0).max(MOST_A_DAY);
const rowSchema = z.object({
  day: z.iso.date(),
  home: z.string().regex(/^[\w-]{1,40}$/),
  // Koha's own column has ten characters.
  branch: z.string().max(10),
  checkouts: count,
  renewals: count,
  returns: count,
});
const pageSchema = z.object({
  rows: boundedList(rowSchema, MOST_ROWS),
  until: z.iso.date().nullable(),
  next: z.iso.date().nullable(),
});

/** How often patrons of one home library borrowed at one branch, in one day of that Koha's clock. */
export type LoanCounts = z.infer<typeof rowSchema>;

/** Whole days, each once: `until` is the last one that was counted, `next` the one to go on with. Null: none was, or there is none. */
export type LoansPage = z.infer<typeof pageSchema>;

/**
 * Counts the loans of copies from one day to another, both included and at most 31; days that are not over yet are left out.
 * `no_statistics`: this Koha keeps none. Null where it has no plugin that can say. Throws KohaError.
 */
export async function readLoans(
  session: Session,
  { passportType, from, to }: { readonly passportType: string; readonly from: string; readonly to: string },
  options?: CallOptions,
): Promise<LoansPage | 'no_statistics' | null> {
  const query = { passport_type: passportType, from, to };
  const request = { operation: 'GET /contrib/passport/loans', query } as const;
  const answer = await session.call(request, options);
  const refusal = answer.status === 200 ? null : parseRefusal(answer);
  if (answer.status === 409 && refusal?.errorCode === 'no_statistics') return 'no_statistics';
  if (answer.status === 404 && refusal !== null) return null;
  if (answer.status !== 200) throw session.failure(answer);
  return bodyOf(session.library, answer, pageSchema.refine(isOfTheseDays(from, to)));
}

const isOfTheseDays =
  (from: string, to: string) =>
  ({ rows, until, next }: LoansPage): boolean => {
    if (until === null) return rows.length === 0 && next === null;
    let last = '';
    const areInOrder = rows.every(({ day, home, branch }) => {
      const before = last;
      last = `${day} ${home} ${branch}`;
      return day >= from && day <= until && last > before;
    });
    return areInOrder && until >= from && until <= to && (next === null || (next > until && next <= to));
  };
