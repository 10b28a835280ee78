import type { JsonSchema } from '../api/schema.ts';
import { buildFieldTable, day, flag, integer, moment, number, text, type Field } from '../fields.ts';
import type { Release } from '../release.ts';
import { Table } from '../table.ts';

/** One item as stored. `hidden` holds what the API does not show: a hold, a recall, an age limit, a title. */
export interface ItemRow {
  readonly item_id: number;
  readonly columns: ItemColumns;
  readonly hidden: Readonly<Record<string, unknown>>;
}

/** The columns that the double itself reads; the others are there too, by name. */
export interface ItemColumns extends Readonly<Record<string, unknown>> {
  readonly item_id: number;
  readonly biblio_id: number;
  readonly external_id: string | null;
  readonly home_library_id: string | null;
  readonly holding_library_id: string | null;
  readonly item_type_id: string | null;
  readonly not_for_loan_status: number;
  readonly lost_status: number;
  readonly withdrawn: number;
  readonly restricted_status: number | null;
  readonly materials_notes: string | null;
  readonly checkouts_count: number | null;
}

/** The items of one Koha, indexed by number and barcode. */
export class ItemTable extends Table<ItemRow, 'barcode'> {
  constructor() {
    super(
      (row) => row.item_id,
      ({ columns }) => (columns.external_id === null ? [] : [['barcode', columns.external_id]]),
    );
  }

  withBarcode(barcode: string): ItemRow | undefined {
    return this.first('barcode', barcode);
  }
}

const required = { nullable: false } as const;
const status = (name: string, column = name): Field => integer(name, column, required);

/** Every stored item column that the API shows. */
export const itemFields = buildFieldTable([
  status('item_id', 'itemnumber'),
  status('biblio_id', 'biblionumber'),
  text('external_id', 'barcode', { maxLength: 20 }),
  day('acquisition_date', 'dateaccessioned'),
  text('acquisition_source', 'booksellerid'),
  flag('bookable'),
  text('home_library_id', 'homebranch', { maxLength: 10 }),
  number('purchase_price', 'price'),
  number('replacement_price', 'replacementprice'),
  day('replacement_price_date', 'replacementpricedate'),
  day('last_checkout_date', 'datelastborrowed'),
  moment('last_seen_date', 'datelastseen'),
  status('not_for_loan_status', 'notforloan'),
  status('damaged_status', 'damaged'),
  text('damaged_date', 'damaged_on'),
  status('lost_status', 'itemlost'),
  moment('lost_date', 'itemlost_on'),
  status('withdrawn'),
  moment('withdrawn_date', 'withdrawn_on'),
  text('callnumber', 'itemcallnumber', { maxLength: 255 }),
  text('coded_location_qualifier'),
  integer('checkouts_count', 'issues'),
  integer('renewals_count', 'renewals'),
  integer('holds_count', 'reserves'),
  integer('restricted_status', 'restricted'),
  text('public_notes', 'itemnotes'),
  text('internal_notes', 'itemnotes_nonpublic'),
  text('holding_library_id', 'holdingbranch', { maxLength: 10 }),
  moment('timestamp', 'timestamp', required),
  text('location'),
  text('permanent_location'),
  day('checked_out_date', 'onloan'),
  text('call_number_source', 'cn_source'),
  text('call_number_sort', 'cn_sort'),
  text('collection_code', 'ccode'),
  text('materials_notes', 'materials'),
  text('uri'),
  text('item_type_id', 'itype', { maxLength: 10 }),
  text('extended_subfields', 'more_subfields_xml'),
  text('serial_issue_number', 'enumchron'),
  text('copy_number', 'copynumber'),
  text('inventory_number', 'stocknumber'),
  text('new_status'),
  flag('exclude_from_local_holds_priority'),
]);

const objectOrNull: JsonSchema = { type: ['object', 'null'] };
const embeds = ['biblio', 'checkout', 'transfer', 'first_hold', 'recall', 'item_type', '_strings'];

/** The item object of a release's description. */
export const itemDefinition = (release: Release): JsonSchema => ({
  type: 'object',
  properties: {
    ...itemFields.properties(release),
    effective_not_for_loan_status: { type: 'integer' },
    effective_item_type_id: { type: ['string', 'null'] },
    ...Object.fromEntries(embeds.map((name) => [name, objectOrNull])),
  },
  additionalProperties: false,
});
