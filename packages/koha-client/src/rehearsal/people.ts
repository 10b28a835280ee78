import * as z from 'zod';
import { badRows } from '../errors/failure-of.ts';
import { parsePatron, type KohaPatron } from '../patrons/patron.ts';
import { listRows } from '../transport/list-rows.ts';
import type { CallOptions, Session } from '../transport/session.ts';
import { type Made, type Removed, readMade, readRemoved } from './catalogue.ts';

/** The patrons with exactly this surname, whatever its case, with all their attributes. Throws KohaError. */
export async function findBySurname(
  session: Session,
  surname: string,
  options?: CallOptions,
): Promise<KohaPatron[]> {
  const headers = { 'x-koha-embed': 'extended_attributes' };
  const request = { operation: 'GET /patrons', key: 'patron_id', headers, where: { surname } } as const;
  const rows = await listRows(session, request, z.unknown(), options);
  const found = rows.map((row) => parsePatron(row));
  if (found.some((patron) => patron === undefined)) throw badRows(session.library, request.operation);
  return found.filter(
    (patron): patron is KohaPatron => patron?.surname?.trim().toLowerCase() === surname.toLowerCase(),
  );
}

/** Deletes a patron, copy or not, as Koha lets it: refused with checkouts, debts and so on. Throws KohaError. */
export async function removePatron(
  session: Session,
  patronId: number,
  options?: CallOptions,
): Promise<Removed> {
  const places = { patron_id: patronId };
  return readRemoved(
    session,
    await session.call({ operation: 'DELETE /patrons/{patron_id}', places }, options),
  );
}

/** Charges a patron this amount, or writes it off. Not safe to repeat: read the balance after a lost answer. Throws KohaError. */
export async function charge(
  session: Session,
  patronId: number,
  amount: number,
  way: 'debit' | 'write_off',
  options?: CallOptions,
): Promise<Made> {
  const places = { patron_id: patronId };
  const request =
    way === 'debit'
      ? ({
          operation: 'POST /patrons/{patron_id}/account/debits',
          json: { amount, type: 'MANUAL' },
        } as const)
      : ({
          operation: 'POST /patrons/{patron_id}/account/credits',
          json: { amount, credit_type: 'WRITEOFF' },
        } as const);
  return readMade(session, await session.call({ ...request, places }, options), 'account_line_id');
}
