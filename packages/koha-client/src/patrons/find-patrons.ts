import * as z from 'zod';
import { badAnswer, badRows, firstValue } from '../errors/failure-of.ts';
import { parseRefusal } from '../errors/refusal.ts';
import { codeSchema } from '../setup/koha-codes.ts';
import { parseJsonBody } from '../answers/json-body.ts';
import { listRows, parseRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import { LONGEST_CARD, parsePatron, type KohaPatron } from './patron.ts';
import { sameCard } from '@passport/contract';

const WITH_ATTRIBUTES = { 'x-koha-embed': 'extended_attributes' };
const hiddenSchema = z.object({ patron_id: z.null() });

/** What to read beside the record itself. Each is an embed of the same call. */
export interface Wanted {
  readonly attributes: boolean;
  readonly balance: boolean;
}

/**
 * The patrons with exactly this card number, or one of these, in one call. Logins are never looked at. Koha's database also matches other
 * cases, accents and blanks, so what comes back is compared again; a card Koha could not hold is nobody's and not looked up.
 */
export async function findByCard(
  session: Session,
  card: string | readonly string[],
  wanted: Wanted,
  options?: CallOptions,
): Promise<KohaPatron[]> {
  const texts = (typeof card === 'string' ? [card] : card).map((each) => each.trim());
  const cards = [...new Set(texts)].filter((each) => each !== '' && Array.from(each).length <= LONGEST_CARD);
  const [first, ...others] = cards;
  if (first === undefined) return [];
  const cardnumber = others.length === 0 ? first : cards;
  const embeds = [
    ...(wanted.attributes ? ['extended_attributes'] : []),
    ...(wanted.balance ? ['account_balance'] : []),
  ];
  const headers = embeds.length === 0 ? {} : { 'x-koha-embed': embeds.join(',') };
  const found = await findWhere(session, { cardnumber }, headers, options);
  return found.filter(({ cardnumber: has }) => has !== null && cards.some((each) => sameCard(has, each)));
}

/**
 * The patrons with exactly this value of this attribute, compared again. `attributes` of such a patron can hold the matching ones
 * only; read the patron by id for all of them. Throws KohaError.
 */
export async function findByAttribute(
  session: Session,
  type: string,
  value: string,
  options?: CallOptions,
): Promise<KohaPatron[]> {
  const found = await findWhere(session, whereAttribute(type, value), WITH_ATTRIBUTES, options);
  return found.filter((patron) =>
    patron.attributes?.some((attribute) => attribute.type === type && attribute.value === value),
  );
}

/**
 * Whether Koha's database takes somebody for an owner of this card, exactly or by its collation (`MULLER-1` is `Müller-1` to it).
 * It sends what `findByCard` sends for a bare card. Throws KohaError.
 */
export async function isCardTaken(session: Session, card: string, options?: CallOptions): Promise<boolean> {
  return (await findWhere(session, { cardnumber: card.trim() }, {}, options)).length > 0;
}

/** The same for the value of an attribute. Throws KohaError. */
export async function isAttributeTaken(
  session: Session,
  type: string,
  value: string,
  options?: CallOptions,
): Promise<boolean> {
  return (await findWhere(session, whereAttribute(type, value), WITH_ATTRIBUTES, options)).length > 0;
}

/** One patron by Koha's number, with all attributes; null when Koha has none or does not show it to this API user. */
export async function readPatron(
  session: Session,
  patronId: number,
  options?: CallOptions,
): Promise<KohaPatron | null> {
  const answer = await session.call(
    {
      operation: 'GET /patrons/{patron_id}',
      places: { patron_id: patronId },
      headers: WITH_ATTRIBUTES,
    },
    options,
  );
  if (answer.status === 404 && (parseRefusal(answer)?.error ?? '') !== '') return null;
  if (answer.status !== 200) throw session.failure(answer);
  const patron = parsePatron(parseJsonBody(answer), patronId);
  if (patron === undefined) throw badAnswer(session.library, answer);
  return patron;
}

/** Who Koha may have already, as the copy would be stored. */
export interface Person {
  readonly surname: string;
  /** Null: compared by the other two alone. */
  readonly firstname: string | null;
  /** `YYYY-MM-DD` */
  readonly dateOfBirth: string;
}

/**
 * Whether Koha has a patron of this name and birth date, whoever it is: what its own form searches for before it stores a patron
 * (`members/memberentry.pl`), and its API by itself from 25.11 on. Koha compares as its database does, without regard to
 * case and accents. Nothing of that patron is kept. Throws KohaError.
 */
export async function hasPossibleDuplicate(
  session: Session,
  { surname, firstname, dateOfBirth }: Person,
  options?: CallOptions,
): Promise<boolean> {
  const q = JSON.stringify({
    surname,
    ...(firstname === null ? {} : { firstname }),
    date_of_birth: dateOfBirth,
  });
  return (await readFirst(session, { q }, options)).row !== undefined;
}

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

const visibleSchema = z.object({
  patron_id: z.number().int().nullable(),
  library_id: codeSchema.nullable(),
});

/**
 * Looks at how far this API user sees, in one or two calls: all patrons, then those of the first one's branch, are counted by
 * `x-total-count`, since Koha's own pages and tests send both of these and no comparison with "not equal". Nothing of the records is
 * kept. Throws KohaError.
 */
export async function visiblePatrons(session: Session, options?: CallOptions): Promise<VisiblePatrons> {
  const first = await readVisible(session, {}, options);
  const branch = first.row?.library_id ?? null;
  const own =
    branch === null
      ? null
      : await readVisible(session, { q: JSON.stringify({ library_id: branch }) }, options);
  return {
    patronId: first.row?.patron_id ?? null,
    branch,
    total: first.total,
    elsewhere: first.total !== null && own !== null && own.total !== null && own.total < first.total,
  };
}

async function readVisible(session: Session, filter: { readonly q?: string }, options?: CallOptions) {
  const { answer, row } = await readFirst(session, filter, options);
  const visible = visibleSchema.optional().safeParse(row);
  if (!visible.success) throw badAnswer(session.library, answer);
  const total = Number(firstValue(answer.headers['x-total-count']) ?? '');
  return { row: visible.data, total: Number.isInteger(total) && total > 0 ? total : null };
}

async function readFirst(session: Session, filter: { readonly q?: string }, options?: CallOptions) {
  const query = { ...filter, _per_page: '1', _order_by: '+me.patron_id' };
  const answer = await session.call({ operation: 'GET /patrons', query }, options);
  return { answer, row: parseRows(session, answer, 1)[0] };
}

const whereAttribute = (type: string, value: string) => ({
  'extended_attributes.code': type,
  'extended_attributes.attribute': value,
});

/** A row that is hidden from this API user says nothing and is left out; one that is no patron spoils the answer. */
async function findWhere(
  session: Session,
  where: Readonly<Record<string, string | readonly string[]>>,
  headers: Readonly<Record<string, string>>,
  options?: CallOptions,
): Promise<KohaPatron[]> {
  const operation = 'GET /patrons';
  const rows = await listRows(session, { operation, key: 'patron_id', headers, where }, z.unknown(), options);
  return rows
    .filter((row) => !hiddenSchema.safeParse(row).success)
    .map((row) => {
      const patron = parsePatron(row);
      if (patron !== undefined) return patron;
      throw badRows(session.library, operation, { isFromKoha: true, causeCode: 'not_koha' });
    });
}
