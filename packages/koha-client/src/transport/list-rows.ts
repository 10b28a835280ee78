import { parseJsonBody } from '../errors/answer-body.ts';
import type { CauseCode } from '../errors/cause-code.ts';
import { badAnswer } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import type { CallOptions, KohaRequest, Session } from './session.ts';
import type { Answer } from './transport.ts';

/** Koha's page is 20 rows unless requested otherwise, and a twenty-first row would be silently absent. */
const ROWS_A_PAGE = 100;

/** A look-up for one person, item or checkout. Koha's own comparison lets a handful of rows through, never hundreds. */
const LOOK_UP_PAGES = 5;
/** Branches and categories of one Koha. */
export const SET_UP_PAGES = 20;

/** A list route with its filter; never without one, since Koha takes an empty filter for "everybody". */
export type ListRequest = Pick<KohaRequest, 'operation' | 'path' | 'headers'> & {
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
 * not end.
 */
export async function listRows(
  session: Session,
  request: ListRequest,
  options: CallOptions = {},
): Promise<unknown[]> {
  const { maxPages = LOOK_UP_PAGES } = request;
  const deadline = performance.now() + session.patienceMs(options);
  const rows: unknown[] = [];
  let before = '';
  for (let page = 1; ; page += 1) {
    const found = await readPage(session, request, page, { deadline, ...options });
    rows.push(...found);
    if (found.length < ROWS_A_PAGE) return rows;
    const ids = JSON.stringify(found.map((row) => idOf(row, request.key)));
    if (ids === before) throw endless(session, request, 'repeated_page');
    if (page === maxPages) throw endless(session, request, 'too_many_pages');
    before = ids;
  }
}

async function readPage(
  session: Session,
  { operation, path, headers, where, key }: ListRequest,
  page: number,
  options?: CallOptions,
): Promise<unknown[]> {
  const answer = await session.call(
    {
      operation,
      method: 'GET',
      path,
      ...(headers === undefined ? {} : { headers }),
      query: {
        ...(where === undefined ? {} : { q: JSON.stringify(where) }),
        _per_page: String(ROWS_A_PAGE),
        ...(page === 1 ? {} : { _page: String(page) }),
        _order_by: `+me.${key}`,
      },
    },
    options,
  );
  return parseRows(session, answer, ROWS_A_PAGE);
}

/** The rows of a list's answer, of which there may be `maxRows`. Throws KohaError. */
export function parseRows(session: Session, answer: Answer, maxRows: number): unknown[] {
  if (answer.status !== 200) throw session.failure(answer);
  const rows: unknown = parseJsonBody(answer);
  if (!Array.isArray(rows)) throw badAnswer(session.library, answer);
  if (rows.length > maxRows) throw badAnswer(session.library, answer, { causeCode: 'too_many_rows' });
  return rows;
}

function idOf(row: unknown, key: string): unknown {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, key) : null;
  return typeof id === 'string' ? id.slice(0, 64) : typeof id === 'number' ? id : null;
}

function endless({ library }: Session, { operation }: ListRequest, causeCode: CauseCode): KohaError {
  return new KohaError({
    code: 'bad_answer',
    library,
    operation,
    status: 200,
    effect: 'none',
    causeCode,
  });
}
