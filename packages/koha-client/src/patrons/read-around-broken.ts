import { isOfOneRecord } from '../errors/koha-error.ts';
import { PATRONS_A_PAGE, type PagePart, type PatronPage } from './patron-page.ts';

/** Where Koha fails at a part of a list, it is read in so many smaller ones: 100 rows, 10, 1. */
const PARTS = 10;
/** So many records in a row that Koha fails at mean that it is in trouble, and not they. */
const MOST_BROKEN = 5;

/**
 * Reads a page of a list. Where Koha fails at it, the page is read in smaller parts until the record that breaks it is alone, counted
 * and passed over: of a list, unlike a batch of known numbers, it cannot be left out. Throws KohaError where Koha is in trouble.
 */
export async function readAroundBroken(
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
