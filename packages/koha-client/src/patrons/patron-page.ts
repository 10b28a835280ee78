import * as z from 'zod';
import { parseRows } from '../transport/list-rows.ts';
import { parsePatron, type KohaPatron } from './patron.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/** The most rows that one request for many patrons brings; a page of 100 is about 400 KB, and 100 keys are 1.1 KB of URL. */
export const PATRONS_A_PAGE = 100;

/** A page of patrons of which no row spoils the others. */
export interface PatronPage {
  readonly patrons: readonly KohaPatron[];
  /** Koha's numbers of rows that are no patron by anything known of Koha: somebody is there, and nothing can be said of them. */
  readonly unreadable: readonly number[];
  /** Rows that Koha itself fails at: nothing is known of them, their numbers included. */
  readonly broken: number;
  /** How many rows Koha sent, hidden ones included. */
  readonly rows: number;
}

const numberSchema = z.object({ patron_id: z.number().int().positive() });

/** A part of a list: a page of so many rows, counted from 1. */
export interface PagePart {
  readonly rows: number;
  readonly page: number;
}

/**
 * Reads one page of `GET /patrons` with all attributes, ordered by Koha's number, under one deadline. A row that cannot be read is
 * named instead of failing the page. Throws KohaError.
 */
export async function readPatronPage(
  session: Session,
  where: Readonly<Record<string, unknown>>,
  { rows: size, page }: PagePart,
  options: CallOptions = {},
): Promise<PatronPage> {
  const answer = await session.call(
    {
      operation: 'GET /patrons',
      method: 'GET',
      path: '/patrons',
      headers: { 'x-koha-embed': 'extended_attributes' },
      query: {
        q: JSON.stringify(where),
        _per_page: String(size),
        ...(page === 1 ? {} : { _page: String(page) }),
        _order_by: '+me.patron_id',
      },
    },
    { deadline: performance.now() + session.patienceMs(options), ...options },
  );
  const rows = parseRows(session, answer, size);
  const numbered = rows.flatMap((row) => {
    const id = numberSchema.safeParse(row).data?.patron_id;
    return id === undefined ? [] : [{ id, patron: parsePatron(row) }];
  });
  return {
    patrons: numbered.flatMap(({ patron }) => patron ?? []),
    unreadable: numbered.filter(({ patron }) => patron === undefined).map(({ id }) => id),
    broken: 0,
    rows: rows.length,
  };
}
