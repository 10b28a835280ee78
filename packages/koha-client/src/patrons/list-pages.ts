import { KohaError } from '../errors/koha-error.ts';
import { PATRONS_A_PAGE, type PagePart, type PatronPage } from './patron-page.ts';
import { readAroundBroken } from './read-around-broken.ts';

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

/** A page of the list, without the patrons that Koha sent and that do not match. */
export interface ListedPage extends PatronPage {
  /** Koha's number of the last row, whoever it is: the list goes on after it. */
  readonly last: number;
}

/**
 * Lists the patrons with such an attribute by Koha's number, a page at a time, each call of `read` under its own deadline. The next
 * page begins after the last number seen, so that patrons who come or go meanwhile shift nobody out of the list. Goes past records
 * that Koha fails at. Throws KohaError; what was passed on before stays true.
 */
export async function* listPages(
  { library, of }: { readonly library: string; readonly of: CopiesWanted },
  read: (of: CopiesWanted, part: PagePart) => Promise<PatronPage>,
): AsyncGenerator<ListedPage, void, undefined> {
  let last = of.after ?? 0;
  let page = 1;
  for (;;) {
    const wanted = { ...of, after: last };
    const found = await readAroundBroken(page, (part) => read(wanted, part));
    const ids = numbersOf(found);
    if (ids.some((id) => id <= last)) throw strange(library, 'repeated_page');
    const patrons = found.patrons.filter(({ attributes }) => hasValue(attributes, of));
    yield { ...found, patrons, last: Math.max(last, ...ids) };
    if (found.rows < PATRONS_A_PAGE) return;
    if (ids.length > 0) {
      last = Math.max(...ids);
      page = 1;
    } else {
      if (page === HIDDEN_PAGES) throw strange(library, 'too_many_pages');
      page += 1;
    }
  }
}

const numbersOf = ({ patrons, unreadable }: PatronPage): number[] => [
  ...patrons.map(({ patronId }) => patronId),
  ...unreadable,
];

function hasValue(
  attributes: PatronPage['patrons'][number]['attributes'],
  { type, prefix }: CopiesWanted,
): boolean {
  return attributes?.some((each) => each.type === type && each.value?.startsWith(prefix) === true) ?? false;
}

function strange(library: string, causeCode: 'repeated_page' | 'too_many_pages'): KohaError {
  const operation = 'GET /patrons';
  return new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none', causeCode });
}
