import type { ApiCall } from '../api/operation.ts';
import { definitionsOf } from '../api/definitions.ts';
import type { Double } from '../double.ts';
import { candidateIds } from '../query/candidates.ts';
import type { Source } from '../query/source.ts';
import type { CheckoutRow } from './checkout-table.ts';

const columns = new Map<string, keyof CheckoutRow>([
  ['checkout_id', 'checkout_id'],
  ['issue_id', 'checkout_id'],
  ['patron_id', 'patron_id'],
  ['borrowernumber', 'patron_id'],
  ['item_id', 'item_id'],
  ['itemnumber', 'item_id'],
  ['library_id', 'library_id'],
  ['branchcode', 'library_id'],
  ['due_date', 'due_date'],
  ['date_due', 'due_date'],
  ['checkout_date', 'checkout_date'],
  ['issuedate', 'checkout_date'],
  ['checkin_date', 'checkin_date'],
  ['returndate', 'checkin_date'],
  ['renewals_count', 'renewals_count'],
  ['issuer_id', 'issuer_id'],
  ['onsite_checkout', 'onsite_checkout'],
  ['timestamp', 'timestamp'],
]);

export interface CheckoutScope {
  readonly isReturned: boolean;
  /** Null: of all patrons. */
  readonly patronId: number | null;
}

/** Current or returned checkouts, of all patrons or of one. */
export function checkoutSource(
  double: Double,
  scope: CheckoutScope,
  embeds: readonly string[],
): Source<CheckoutRow> {
  const { checkouts } = double.db;
  const inScope = (): readonly CheckoutRow[] => {
    if (!scope.isReturned && scope.patronId !== null) return checkouts.ofPatron(scope.patronId);
    const all = [...(scope.isReturned ? checkouts.returned() : checkouts.current())];
    return scope.patronId === null ? all : all.filter((row) => row.patron_id === scope.patronId);
  };
  return {
    rows: inScope,
    count: () => (scope.isReturned || scope.patronId !== null ? inScope().length : checkouts.size),
    column: (name) => columns.get(name),
    read: (row, column) => row[column as keyof CheckoutRow],
    // The issuer is a patron, and has a number and a branch too; a renewal has a time.
    isAmbiguous: (name) => {
      const column = columns.get(name);
      if (embeds.includes('issuer') && (column === 'patron_id' || column === 'library_id')) return true;
      return embeds.includes('renewals') && column === 'timestamp';
    },
    candidates: (condition) => {
      if (scope.isReturned || scope.patronId !== null) return null;
      const ids = candidateIds(condition, (column, value) => lookUp(double, column, value));
      return ids === null ? null : [...ids].sort((a, b) => a - b).flatMap((id) => checkouts.get(id) ?? []);
    },
  };
}

function lookUp(double: Double, column: string, value: unknown): ReadonlySet<number> | null {
  const { checkouts } = double.db;
  if (column === 'patron_id') {
    return new Set(checkouts.ofPatron(Number(value)).map((row) => row.checkout_id));
  }
  if (column === 'item_id' && value !== null) {
    const row = checkouts.ofItem(Number(value));
    return new Set(row === undefined ? [] : [row.checkout_id]);
  }
  return null;
}

/** A checkout as the API of this release answers it; the barcode is accepted on input only. */
export function renderCheckout(call: ApiCall, row: CheckoutRow): unknown {
  const known = definitionsOf(call.release)['checkout']?.properties ?? {};
  const rendered: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) if (Object.hasOwn(known, name)) rendered[name] = value;
  if (call.embeds.includes('issuer')) {
    rendered['issuer'] = row.issuer_id === null ? null : { patron_id: row.issuer_id };
  }
  return rendered;
}
