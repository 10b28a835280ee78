import * as z from 'zod';
import { parseJsonBody, parseRefusal } from '../errors/answer-body.ts';
import { badAnswer } from '../errors/failure-of.ts';
import { KohaError } from '../errors/koha-error.ts';
import { listRows } from '../transport/list-rows.ts';
import { CARD_NUMBER_LIMIT } from './patron-fields.ts';
import { parsePatron, type KohaPatron } from './patron.ts';
import { sameCard } from './same-card.ts';
import type { CallOptions, Session } from '../transport/session.ts';

const ROUTE = { operation: 'GET /patrons', path: '/patrons', key: 'patron_id' } as const;
const hiddenSchema = z.object({ patron_id: z.null() });

/** What to read beside the record itself. Each is an embed of the same call. */
export interface Wanted {
  readonly attributes: boolean;
  readonly balance: boolean;
}

/**
 * The patrons with exactly this card number, in one call. Logins are never looked at. Koha's database also matches other
 * cases, accents and blanks, so what comes back is compared again; a card Koha could not hold is nobody's and not looked up.
 */
export async function findByCard(
  session: Session,
  card: string,
  wanted: Wanted,
  options?: CallOptions,
): Promise<KohaPatron[]> {
  const cardnumber = card.trim();
  if (cardnumber === '' || Array.from(cardnumber).length > CARD_NUMBER_LIMIT.characters) return [];
  const embeds = [
    ...(wanted.attributes ? ['extended_attributes'] : []),
    ...(wanted.balance ? ['account_balance'] : []),
  ];
  const headers = embeds.length === 0 ? {} : { 'x-koha-embed': embeds.join(',') };
  const rows = await listRows(session, { ...ROUTE, headers, where: { cardnumber } }, options);
  return parsePatrons(session, rows).filter(
    (patron) => patron.cardnumber !== null && sameCard(patron.cardnumber, cardnumber),
  );
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
  const headers = { 'x-koha-embed': 'extended_attributes' };
  const where = { 'extended_attributes.code': type, 'extended_attributes.attribute': value };
  const rows = await listRows(session, { ...ROUTE, headers, where }, options);
  return parsePatrons(session, rows).filter((patron) =>
    patron.attributes?.some((attribute) => attribute.type === type && attribute.value === value),
  );
}

/**
 * Whether Koha's database takes somebody for an owner of this card, exactly or by its collation (`MULLER-1` is `Müller-1` to it).
 * It sends what `findByCard` sends for a bare card. Throws KohaError.
 */
export async function isCardTaken(session: Session, card: string, options?: CallOptions): Promise<boolean> {
  const rows = await listRows(session, { ...ROUTE, where: { cardnumber: card.trim() } }, options);
  return parsePatrons(session, rows).length > 0;
}

/** The same for the value of an attribute. Throws KohaError. */
export async function isAttributeTaken(
  session: Session,
  type: string,
  value: string,
  options?: CallOptions,
): Promise<boolean> {
  const where = { 'extended_attributes.code': type, 'extended_attributes.attribute': value };
  return (
    parsePatrons(
      session,
      await listRows(
        session,
        { ...ROUTE, headers: { 'x-koha-embed': 'extended_attributes' }, where },
        options,
      ),
    ).length > 0
  );
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
      method: 'GET',
      path: `/patrons/${patronId}`,
      headers: { 'x-koha-embed': 'extended_attributes' },
    },
    options,
  );
  if (answer.status === 404 && (parseRefusal(answer)?.error ?? '') !== '') return null;
  if (answer.status !== 200) throw session.failure(answer);
  const patron = parsePatron(parseJsonBody(answer), patronId);
  if (patron === undefined) throw badAnswer(session.library, answer);
  return patron;
}

/** A row that is hidden from this API user says nothing and is left out; one that is no patron spoils the answer. */
function parsePatrons(session: Session, rows: readonly unknown[]): KohaPatron[] {
  return rows
    .filter((row) => !hiddenSchema.safeParse(row).success)
    .map((row) => {
      const patron = parsePatron(row);
      if (patron !== undefined) return patron;
      const { library } = session;
      throw new KohaError({
        code: 'bad_answer',
        saidByKoha: true,
        causeCode: 'not_koha',
        library,
        operation: ROUTE.operation,
        status: 200,
        effect: 'none',
      });
    });
}
