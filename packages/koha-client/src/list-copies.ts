import { KohaError } from './koha-error.ts';
import { PATRONS_A_PAGE, readPatronPage } from './patron-page.ts';
import type { PatronPage } from './patron-page.ts';
import type { CallOptions, Session } from './session.ts';

/** Pages in sequence of which Koha shows this API user nobody; one of its own has far fewer patrons than that hidden among copies. */
const HIDDEN_PAGES = 50;

/** Which patrons to list: those with an attribute of this type whose value begins so. */
export interface CopiesWanted {
  readonly type: string;
  /** Compared again here, exactly; the empty prefix is any value. */
  readonly prefix: string;
  /** Koha's number of the last patron that is known already: the list goes on after it, also after a crash. */
  readonly after?: number;
}

/**
 * Lists the patrons with such an attribute by Koha's number, a page at a time, each page one call under its own deadline. The next
 * page begins after the last number seen, so that patrons who come or go meanwhile shift nobody out of the list. On 23.11 the
 * attributes of a row can be those of this type only. Throws KohaError; what was passed on before stays true.
 */
export async function* listCopies(
  session: Session,
  { type, prefix, after = 0 }: CopiesWanted,
  options: CallOptions = {},
): AsyncGenerator<PatronPage, void, undefined> {
  let last = after;
  let page = 1;
  for (;;) {
    const where = {
      'extended_attributes.code': type,
      'extended_attributes.attribute': { '-like': `${prefix}%` },
      'me.patron_id': { '>': last },
    };
    const found = await readPatronPage(session, where, page, options);
    const ids = [...found.patrons.map(({ patronId }) => patronId), ...found.unreadable];
    if (ids.some((id) => id <= last)) throw strange(session, 'repeated_page');
    yield { ...found, patrons: found.patrons.filter((patron) => hasValue(patron.attributes, type, prefix)) };
    if (found.rows < PATRONS_A_PAGE) return;
    if (ids.length > 0) {
      last = Math.max(...ids);
      page = 1;
    } else {
      if (page === HIDDEN_PAGES) throw strange(session, 'too_many_pages');
      page += 1;
    }
  }
}

function hasValue(
  attributes: PatronPage['patrons'][number]['attributes'],
  type: string,
  prefix: string,
): boolean {
  return attributes?.some((each) => each.type === type && each.value?.startsWith(prefix) === true) ?? false;
}

function strange({ library }: Session, causeCode: 'repeated_page' | 'too_many_pages'): KohaError {
  const operation = 'GET /patrons';
  return new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none', causeCode });
}
