import * as z from 'zod';
import { badAnswer, firstValue } from '../errors/failure-of.ts';
import { parseRows } from '../transport/list-rows.ts';
import { codeSchema } from '../setup/koha-codes.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import type { Answer } from '../transport/transport.ts';

/** What an API user sees of this Koha's patrons, without anything of theirs. */
export interface VisiblePatrons {
  /** The first patron it sees; null when it sees none. */
  readonly patronId: number | null;
  /** That patron's branch. */
  readonly branch: string | null;
  /** How many it sees; null when Koha does not say. */
  readonly total: number | null;
  /** Whether it sees patrons of another branch too. */
  readonly elsewhere: boolean;
}

const rowSchema = z.object({
  patron_id: z.number().int().nullable(),
  library_id: codeSchema.nullable(),
});

/**
 * Looks at how far this API user sees, in one or two calls: all patrons, then those of the first one's branch, are counted by
 * `x-total-count`, since Koha's own pages and tests send both of these and no comparison with "not equal". Nothing of the records is
 * kept. Throws KohaError.
 */
export async function visiblePatrons(session: Session, options?: CallOptions): Promise<VisiblePatrons> {
  const first = await readFirst(session, {}, options);
  const branch = first.row?.library_id ?? null;
  const own =
    branch === null ? null : await readFirst(session, { q: JSON.stringify({ library_id: branch }) }, options);
  return {
    patronId: first.row?.patron_id ?? null,
    branch,
    total: first.total,
    elsewhere: first.total !== null && own !== null && own.total !== null && own.total < first.total,
  };
}

async function readFirst(session: Session, filter: { readonly q?: string }, options?: CallOptions) {
  const query = { ...filter, _per_page: '1', _order_by: '+me.patron_id' };
  const answer = await session.call(
    { operation: 'GET /patrons', method: 'GET', path: '/patrons', query },
    options,
  );
  const [json] = parseRows(session, answer, 1);
  const row = rowSchema.optional().safeParse(json);
  if (!row.success) throw badAnswer(session.library, answer);
  return { row: row.data, total: totalOf(answer) };
}

function totalOf({ headers }: Answer): number | null {
  const total = Number(firstValue(headers['x-total-count']) ?? '');
  return Number.isInteger(total) && total > 0 ? total : null;
}
