import type { JsonSchema } from '../api/schema.ts';
import { buildFieldTable, day, flag, integer, moment, text } from '../fields.ts';
import { isFrom, type Release } from '../release.ts';
import { Table } from '../table.ts';

/** One checkout, under the API's names. */
export interface CheckoutRow {
  readonly checkout_id: number;
  readonly patron_id: number;
  readonly item_id: number | null;
  readonly due_date: string;
  readonly library_id: string;
  readonly issuer_id: number | null;
  readonly checkin_date: string | null;
  readonly checkin_library_id: string | null;
  readonly last_renewed_date: string | null;
  readonly renewals_count: number;
  readonly unseen_renewals: number;
  readonly auto_renew: boolean;
  readonly auto_renew_error: string | null;
  readonly timestamp: string;
  readonly checkout_date: string;
  readonly onsite_checkout: boolean;
  readonly booking_id: number | null;
  readonly note: string | null;
  readonly note_date: string | null;
  readonly note_seen: boolean;
}

/** A row that Koha writes at every checkout, renewal and return (`statistics`). Neither anonymising nor a deletion touches it. */
export interface LoanRow {
  /** By this Koha's clock: `2026-11-25T10:00:00+01:00`. */
  readonly at: string;
  readonly type: 'issue' | 'onsite_checkout' | 'renew' | 'return';
  /** The branch where it happened. */
  readonly branch: string;
  readonly patron_id: number;
}

const required = { nullable: false } as const;

/** The columns of a checkout: barcode from 24.11, booking and return place from 25.11. */
export const checkoutFields = buildFieldTable([
  integer('checkout_id', 'issue_id', required),
  integer('patron_id', 'borrowernumber', required),
  integer('item_id', 'itemnumber'),
  integer('booking_id', 'booking_id', { since: '25.11' }),
  text('external_id', 'external_id', { since: '24.11' }),
  moment('due_date', 'date_due', required),
  text('library_id', 'branchcode'),
  integer('issuer_id'),
  moment('checkin_date', 'returndate'),
  text('checkin_library_id', 'checkin_library', { since: '25.11' }),
  moment('last_renewed_date', 'lastreneweddate'),
  integer('renewals_count'),
  integer('unseen_renewals'),
  flag('auto_renew'),
  text('auto_renew_error'),
  text('timestamp', 'timestamp', required),
  moment('checkout_date', 'issuedate', required),
  flag('onsite_checkout'),
  text('note'),
  day('note_date', 'notedate'),
  flag('note_seen', 'noteseen', { nullable: true }),
]);

const objectOrNull: JsonSchema = { type: ['object', 'null'] };

/** The checkout object of a release's description. */
export const checkoutDefinition = (release: Release): JsonSchema => ({
  type: 'object',
  properties: {
    ...checkoutFields.properties(release),
    issuer: objectOrNull,
    ...(isFrom(release, '25.11')
      ? { item: objectOrNull, library: objectOrNull, patron: objectOrNull, booking: objectOrNull }
      : {}),
  },
  additionalProperties: false,
});

/** Current checkouts (one per item) and, apart from them, the returned ones. */
export class CheckoutTable extends Table<CheckoutRow, 'item' | 'patron'> {
  readonly #returned = new Map<number, CheckoutRow>();

  constructor() {
    super(
      (row) => row.checkout_id,
      ({ item_id, patron_id }) => [
        ['item', String(item_id)],
        ['patron', String(patron_id)],
      ],
    );
  }

  returned(): Iterable<CheckoutRow> {
    return this.#returned.values();
  }

  /** Moves a checkout to the returned ones. */
  close(row: CheckoutRow, at: string, libraryId: string): void {
    this.delete(row.checkout_id);
    this.#returned.set(row.checkout_id, { ...row, checkin_date: at, checkin_library_id: libraryId });
  }

  /** Gives a patron's checkouts, current and returned, to another. */
  movePatron(from: number, to: number): void {
    for (const row of this.ofPatron(from)) this.put({ ...row, patron_id: to });
    for (const row of this.#returned.values()) {
      if (row.patron_id === from) this.#returned.set(row.checkout_id, { ...row, patron_id: to });
    }
  }

  ofItem(itemId: number): CheckoutRow | undefined {
    return this.first('item', String(itemId));
  }

  ofPatron(patronId: number): CheckoutRow[] {
    return this.inOrder(this.ids('patron', String(patronId)));
  }

  countOfPatron(patronId: number): number {
    return this.ids('patron', String(patronId)).size;
  }
}
