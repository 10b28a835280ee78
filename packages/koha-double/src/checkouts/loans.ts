import type { Double } from '../double.ts';
import type { LoanRow } from './checkout-table.ts';

/** Writes the row of what happens now. */
export function recordLoan(
  { db, clock }: Double,
  type: LoanRow['type'],
  where: Pick<LoanRow, 'branch' | 'patron_id'>,
): void {
  db.loans.push({ at: clock.timestamp(), type, ...where });
}
