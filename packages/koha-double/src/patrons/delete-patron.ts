import { notFound, problem, type Answer } from '../answer.ts';
import type { ApiCall } from '../api/operation.ts';
import type { Database } from '../double.ts';
import { isRecord } from '../record.ts';
import type { PatronRow } from './patron-row.ts';

/** `DELETE /patrons/{patron_id}`: five refusals, holds not among them: those are cancelled. */
export function deletePatron(call: ApiCall): Answer {
  const { db, settings } = call.double;
  const row = db.patrons.get(Number(call.path['patron_id']));
  if (row === undefined) return notFound(call.release, 'Patron');
  const refusal = refusalOf(db, row, settings.preferences.AnonymousPatron);
  if (refusal !== null) return problem(409, refusal.error, { error_code: refusal.code });
  cancelHolds(db, row.patron_id);
  db.patrons.delete(row.patron_id);
  return { status: 204 };
}

interface Refusal {
  readonly code: string;
  readonly error: string;
}

function refusalOf(db: Database, row: PatronRow, anonymousId: string): Refusal | null {
  if (String(row.patron_id) === anonymousId) {
    return { code: 'is_anonymous_patron', error: 'Anonymous patron cannot be deleted' };
  }
  if (db.checkouts.countOfPatron(row.patron_id) > 0) {
    return { code: 'has_checkouts', error: 'Pending checkouts prevent deletion' };
  }
  if (row.account_balance > 0) return { code: 'has_debt', error: 'Pending debts prevent deletion' };
  if (hasGuarantees(db, row.patron_id)) {
    return { code: 'has_guarantees', error: 'Patron is a guarantor and it prevents deletion' };
  }
  if (row.columns.protected) {
    return { code: 'is_protected', error: 'Protected patrons cannot be deleted' };
  }
  return null;
}

function hasGuarantees(db: Database, patronId: number): boolean {
  for (const other of db.patrons.rows()) if (other.hidden['guarantor_id'] === patronId) return true;
  return false;
}

function cancelHolds(db: Database, patronId: number): void {
  for (const item of db.items.rows()) {
    const { hold, ...others } = item.hidden;
    if (isRecord(hold) && hold['patron_id'] === patronId) db.items.put({ ...item, hidden: others });
  }
}
