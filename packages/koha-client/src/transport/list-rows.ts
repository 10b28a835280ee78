import * as z from 'zod';
import { badAnswer, badRows, bodyOf } from '../errors/failure-of.ts';
import { type CallOptions, type Session, withDeadline } from './session.ts';
import type { Answer } from '../answers/read-answer.ts';
import type { KohaRequest } from './transport.ts';

/** Koha's page is 20 rows unless requested otherwise, and a twenty-first row would be silently absent. */
const ROWS_A_PAGE = 100;

/** A look-up for one person, item or checkout. Koha's own comparison lets a handful of rows through, never hundreds. */
const LOOK_UP_PAGES = 5;
/** Branches and categories of one Koha. */
export const SET_UP_PAGES = 20;

/** A list route with its filter; never without one, since Koha takes an empty filter for "everybody". */
export type ListRequest = Pick<KohaRequest, 'operation' | 'headers'> & {
  /** Sent as Koha's `q`: compared for equality by the database, no wildcards, no "contains". */
  readonly where?: Readonly<Record<string, unknown>>;
  /**
   * The rows' own key in the API. The list is ordered by it with the prefix of the listed table, as Koha's own pages send it:
   * without the prefix it becomes a bare column, which an embed of a table with the same column makes ambiguous, and the
   * whole list a 500.
   */
  readonly key: string;
  /** How many pages there may be. */
  readonly maxPages?: number;
};

/**
 * Reads every row of a list route, page after page, under one deadline for all of them: the patience of a
 * single call. One call when the rows fit on one page. Throws KohaError, `bad_answer` for a list that does
 * not end or a row that does not fit.
 */
export async function listRows<T>(
  session: Session,
  { operation, headers, where, key, maxPages = LOOK_UP_PAGES }: ListRequest,
  schema: z.ZodType<T>,
  options: CallOptions = {},
): Promise<T[]> {
  const limits = withDeadline(session, options);
  const rows: unknown[] = [];
  let before = '';
  for (let page = 1; ; page += 1) {
    const query = {
      ...(where === undefined ? {} : { q: JSON.stringify(where) }),
      _per_page: String(ROWS_A_PAGE),
      ...(page === 1 ? {} : { _page: String(page) }),
      _order_by: `+me.${key}`,
    };
    const answer = await session.call({ operation, ...(headers && { headers }), query }, limits);
    const found = parseRows(session, answer, ROWS_A_PAGE);
    rows.push(...found);
    if (found.length < ROWS_A_PAGE) break;
    const ids = JSON.stringify(found.map((row) => idOf(row, key)));
    if (ids === before) throw badRows(session.library, operation, { causeCode: 'repeated_page' });
    if (page === maxPages) throw badRows(session.library, operation, { causeCode: 'too_many_pages' });
    before = ids;
  }
  const parsed = z.array(schema).safeParse(rows);
  if (parsed.success) return parsed.data;
  throw badRows(session.library, operation);
}

/** The rows of a list's answer, of which there may be `maxRows`. Throws KohaError. */
export function parseRows(session: Session, answer: Answer, maxRows: number): unknown[] {
  if (answer.status !== 200) throw session.failure(answer);
  const rows = bodyOf(session.library, answer, z.array(z.unknown()));
  if (rows.length > maxRows) throw badAnswer(session.library, answer, { causeCode: 'too_many_rows' });
  return rows;
}

function idOf(row: unknown, key: string): unknown {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, key) : null;
  return typeof id === 'string' ? id.slice(0, 64) : typeof id === 'number' ? id : null;
}
