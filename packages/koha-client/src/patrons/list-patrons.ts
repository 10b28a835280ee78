import { badRows } from '../errors/failure-of.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import {
  PATRONS_A_PAGE,
  listPages,
  numbersOf,
  readPatronPage,
  type CopiesWanted,
  type PagePart,
  type PatronPage,
} from './patron-page.ts';

/**
 * Reads patrons by Koha's numbers with all their attributes, at most PATRONS_A_PAGE, in one call. With `balance` what each owes is read, too; with `changedSince` only those
 * that Koha has stored anew since then. Who is not in the answer does not exist, is not shown to this API user, or has not
 * changed: Koha does not distinguish these. Throws KohaError.
 */
export async function readPatrons(
  session: Session,
  patronIds: readonly number[],
  { changedSince, balance = false }: { readonly changedSince?: Date; readonly balance?: boolean } = {},
  options?: CallOptions,
): Promise<PatronPage> {
  if (patronIds.length > PATRONS_A_PAGE) {
    throw new RangeError(`at most ${PATRONS_A_PAGE} patrons are read at once`);
  }
  if (patronIds.length === 0) return { patrons: [], unreadable: [], broken: 0, rows: 0 };
  // Koha converts the time only under the bare name and at the top of the filter.
  const since = changedSince === undefined ? {} : { updated_on: { '>=': changedSince.toISOString() } };
  const whole = { rows: PATRONS_A_PAGE, page: 1 };
  const found = await readPatronPage(session, { 'me.patron_id': patronIds, ...since }, whole, {
    ...options,
    balance,
  });
  const wanted = new Set(patronIds);
  if (numbersOf(found).every((id) => wanted.has(id))) return found;
  throw badRows(session.library, 'GET /patrons');
}

/**
 * Reads one part of the list in one call, as Koha's database compares: whoever lists compares again. On 23.11 the attributes of a row
 * can be those of this type only. Throws KohaError.
 */
export async function readCopies(
  session: Session,
  { type, prefix, after = 0 }: CopiesWanted,
  part: PagePart,
  options?: CallOptions,
): Promise<PatronPage> {
  const where = {
    'extended_attributes.code': type,
    'extended_attributes.attribute': { '-like': `${prefix}%` },
    'me.patron_id': { '>': after },
  };
  return readPatronPage(session, where, part, options);
}

/** All those patrons, a page at a time, each call under its own deadline; see `listPages`. Throws KohaError. */
export function listCopies(
  session: Session,
  of: CopiesWanted,
  options?: CallOptions,
): AsyncGenerator<PatronPage, void, undefined> {
  const { library } = session;
  return listPages({ library, of }, (wanted, part) => readCopies(session, wanted, part, options));
}
