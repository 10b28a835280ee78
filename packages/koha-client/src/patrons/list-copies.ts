import { listPages, type CopiesWanted } from './list-pages.ts';
import { readPatronPage, type PagePart, type PatronPage } from './patron-page.ts';
import type { CallOptions, Session } from '../transport/session.ts';

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
