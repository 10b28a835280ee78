import * as z from 'zod';
import { badRows } from '../errors/failure-of.ts';
import { isOfOneRecord } from '../errors/koha-error.ts';
import { parseRows } from '../transport/list-rows.ts';
import { type CallOptions, type Session, withDeadline } from '../transport/session.ts';
import { parsePatron, type KohaPatron } from './patron.ts';

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
 * Reads one page of `GET /patrons` with all attributes, ordered by Koha's number, under one deadline; with `balance` what each owes, too. A row that cannot be read is
 * named instead of failing the page. Throws KohaError.
 */
export async function readPatronPage(
  session: Session,
  where: Readonly<Record<string, unknown>>,
  { rows: size, page }: PagePart,
  options?: CallOptions & { readonly balance?: boolean },
): Promise<PatronPage> {
  const embeds = ['extended_attributes', ...(options?.balance === true ? ['account_balance'] : [])];
  const answer = await session.call(
    {
      operation: 'GET /patrons',
      headers: { 'x-koha-embed': embeds.join(',') },
      query: {
        q: JSON.stringify(where),
        _per_page: String(size),
        ...(page === 1 ? {} : { _page: String(page) }),
        _order_by: '+me.patron_id',
      },
    },
    withDeadline(session, options),
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
    if (ids.some((id) => id <= last)) throw badRows(library, 'GET /patrons', { causeCode: 'repeated_page' });
    const patrons = found.patrons.filter(({ attributes }) => hasValue(attributes, of));
    yield { ...found, patrons, last: Math.max(last, ...ids) };
    if (found.rows < PATRONS_A_PAGE) return;
    if (ids.length > 0) {
      last = Math.max(...ids);
      page = 1;
    } else {
      if (page === HIDDEN_PAGES) throw badRows(library, 'GET /patrons', { causeCode: 'too_many_pages' });
      page += 1;
    }
  }
}

/** Koha's numbers of a page's patrons, readable or not. */
export const numbersOf = ({ patrons, unreadable }: PatronPage): number[] => [
  ...patrons.map(({ patronId }) => patronId),
  ...unreadable,
];

function hasValue(attributes: KohaPatron['attributes'], { type, prefix }: CopiesWanted): boolean {
  return attributes?.some((each) => each.type === type && each.value?.startsWith(prefix) === true) ?? false;
}

/** Where Koha fails at a part of a list, it is read in so many smaller ones: 100 rows, 10, 1. */
const PARTS = 10;
/** So many records in a row that Koha fails at mean that it is in trouble, and not they. */
const MOST_BROKEN = 5;

/**
 * Reads a page of a list. Where Koha fails at it, the page is read in smaller parts until the record that breaks it is alone, counted
 * and passed over: of a list, unlike a batch of known numbers, it cannot be left out. Throws KohaError where Koha is in trouble.
 */
async function readAroundBroken(
  page: number,
  read: (part: PagePart) => Promise<PatronPage>,
): Promise<PatronPage> {
  let broken = 0;
  const readPart = async (part: PagePart): Promise<PatronPage> => {
    try {
      const found = await read(part);
      broken = 0;
      return found;
    } catch (error) {
      if (!isOfOneRecord(error)) throw error;
      if (part.rows > 1) return readParts(part);
      broken += 1;
      if (broken >= MOST_BROKEN) throw error;
      return { patrons: [], unreadable: [], broken: 1, rows: 1 };
    }
  };
  const readParts = async (whole: PagePart): Promise<PatronPage> => {
    const rows = whole.rows / PARTS;
    const parts: PatronPage[] = [];
    for (let index = 1; index <= PARTS; index += 1) {
      const part = await readPart({ rows, page: (whole.page - 1) * PARTS + index });
      parts.push(part);
      if (part.rows < rows) break;
    }
    return combined(parts);
  };
  return readPart({ rows: PATRONS_A_PAGE, page });
}

const combined = (parts: readonly PatronPage[]): PatronPage => ({
  patrons: parts.flatMap(({ patrons }) => patrons),
  unreadable: parts.flatMap(({ unreadable }) => unreadable),
  broken: parts.reduce((sum, { broken }) => sum + broken, 0),
  rows: parts.reduce((sum, { rows }) => sum + rows, 0),
});

/**
 * Reads a batch in one call. Where Koha fails at it, it is halved until the one that breaks it is alone, so that the others are read;
 * those that cannot be are returned. Of an empty batch nothing is read. Throws what `readBatch` throws where the library is in trouble.
 */
export async function readInHalves<T>(
  all: readonly T[],
  readBatch: (batch: readonly T[]) => Promise<void>,
): Promise<readonly T[]> {
  const unread: T[] = [];
  let broken = 0;
  const read = async (batch: readonly T[]): Promise<void> => {
    try {
      await readBatch(batch);
      broken = 0;
    } catch (error) {
      if (!isOfOneRecord(error)) throw error;
      if (batch.length === 1) {
        broken += 1;
        if (broken >= MOST_BROKEN) throw error;
        unread.push(...batch);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await read(batch.slice(0, middle));
      await read(batch.slice(middle));
    }
  };
  if (all.length > 0) await read(all);
  return unread;
}
