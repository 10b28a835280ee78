import { KohaError } from '../errors/koha-error.ts';
import { PATRONS_A_PAGE, readPatronPage, type PatronPage } from './patron-page.ts';
import type { CallOptions, Session } from '../transport/session.ts';

/**
 * Reads patrons by Koha's numbers with all their attributes, at most PATRONS_A_PAGE, in one call. With `changedSince` only those
 * that Koha has stored anew since then. Who is not in the answer does not exist, is not shown to this API user, or has not
 * changed: Koha does not distinguish these. Throws KohaError.
 */
export async function readPatrons(
  session: Session,
  patronIds: readonly number[],
  { changedSince }: { readonly changedSince?: Date } = {},
  options?: CallOptions,
): Promise<PatronPage> {
  if (patronIds.length > PATRONS_A_PAGE) {
    throw new RangeError(`at most ${PATRONS_A_PAGE} patrons are read at once`);
  }
  if (patronIds.length === 0) return { patrons: [], unreadable: [], broken: 0, rows: 0 };
  // Koha converts the time only under the bare name and at the top of the filter.
  const since = changedSince === undefined ? {} : { updated_on: { '>=': changedSince.toISOString() } };
  const whole = { rows: PATRONS_A_PAGE, page: 1 };
  const found = await readPatronPage(session, { 'me.patron_id': patronIds, ...since }, whole, options);
  const wanted = new Set(patronIds);
  const ids = [...found.patrons.map(({ patronId }) => patronId), ...found.unreadable];
  if (ids.every((id) => wanted.has(id))) return found;
  const { library } = session;
  throw new KohaError({
    code: 'bad_answer',
    library,
    operation: 'GET /patrons',
    status: 200,
    effect: 'none',
  });
}
