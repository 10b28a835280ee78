import type { Double } from '../double.ts';

/** A row that Koha writes at every checkout, renewal and return (`statistics`). Neither anonymising nor a deletion touches it. */
export interface LoanRow {
  /** By this Koha's clock: `2026-11-25T10:00:00+01:00`. */
  readonly at: string;
  readonly type: 'issue' | 'onsite_checkout' | 'renew' | 'return';
  /** The branch where it happened. */
  readonly branch: string;
  readonly patron_id: number;
}

/** Writes the row of what happens now. */
export function recordLoan(
  { db, clock }: Double,
  type: LoanRow['type'],
  where: Pick<LoanRow, 'branch' | 'patron_id'>,
): void {
  db.loans.push({ at: clock.timestamp(), type, ...where });
}
