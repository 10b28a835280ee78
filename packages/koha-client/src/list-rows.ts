import { z } from 'zod';
import { parseJsonBody } from './answer-body.ts';
import { badAnswer } from './failure-of.ts';
import type { CallOptions, KohaRequest, Session } from './session.ts';

/** Koha's page is 20 rows unless asked otherwise, and a twenty-first row would be silently absent. */
const ROWS_A_PAGE = 100;

const rowsSchema = z.array(z.unknown());

/** A list route with its filter; never without one, since Koha takes an empty filter for "everybody". */
export type ListRequest = Pick<KohaRequest, 'operation' | 'path' | 'headers'> & {
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as Koha's `q`: compared for equality by the database, no wildcards, no "contains". */
  readonly where?: Readonly<Record<string, unknown>>;
};

/**
 * Reads every row of a list route, page after page, in the order of `orderBy`. One call when the rows fit on one page. The
 * key is always one of the listed table itself (`+me.patron_id`, as Koha's own pages send it): without the prefix it becomes
 * a bare column, which an embed that joins a table with the same column makes ambiguous, and the whole list a 500.
 * Throws KohaError.
 */
export async function listRows(
  session: Session,
  request: ListRequest,
  orderBy: string,
  options?: CallOptions,
): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const page of pagesOfRows(session, request, orderBy, options)) rows.push(...page);
  return rows;
}

/** The same page by page, for lists that can be long. */
export async function* pagesOfRows(
  session: Session,
  request: ListRequest,
  orderBy: string,
  options?: CallOptions,
): AsyncGenerator<unknown[], void, void> {
  for (let page = 1; ; page += 1) {
    const rows = await readPage(session, request, { orderBy, page }, options);
    yield rows;
    if (rows.length < ROWS_A_PAGE) return;
  }
}

async function readPage(
  session: Session,
  { operation, path, headers, query, where }: ListRequest,
  { orderBy, page }: { orderBy: string; page: number },
  options?: CallOptions,
): Promise<unknown[]> {
  const answer = await session.call(
    {
      operation,
      method: 'GET',
      path,
      ...(headers === undefined ? {} : { headers }),
      query: {
        ...query,
        ...(where === undefined ? {} : { q: JSON.stringify(where) }),
        _per_page: String(ROWS_A_PAGE),
        ...(page === 1 ? {} : { _page: String(page) }),
        _order_by: orderBy,
      },
    },
    options,
  );
  if (answer.status !== 200) throw session.failure(answer);
  const rows = rowsSchema.safeParse(parseJsonBody(answer));
  if (!rows.success) throw badAnswer(session.library, answer);
  return rows.data;
}
