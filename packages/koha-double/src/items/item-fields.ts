import type { FieldKind } from '../patrons/patron-fields.ts';

/** One item column as API and database know it, with the value of an item that says nothing about it. */
export interface ItemField {
  readonly name: string;
  readonly column: string;
  readonly kind: FieldKind | 'number';
  readonly nullable: boolean;
  readonly initial: string | number | boolean | null;
  readonly maxLength?: number;
}

type Extra = Partial<ItemField>;

const make = (kind: ItemField['kind'], name: string, column: string, extra: Extra = {}): ItemField => ({
  name,
  column,
  kind,
  nullable: true,
  initial: null,
  ...extra,
});
const text = (name: string, column = name, extra: Extra = {}): ItemField => make('text', name, column, extra);
const number = (name: string, column: string): ItemField => make('number', name, column);
const count = (name: string, column: string): ItemField => make('integer', name, column);
const day = (name: string, column: string): ItemField => make('date', name, column);
const moment = (name: string, column: string): ItemField => make('date-time', name, column);
const status = (name: string, column: string): ItemField =>
  make('integer', name, column, { nullable: false, initial: 0 });
const flag = (name: string): ItemField => make('boolean', name, name, { nullable: false, initial: false });

/** Every stored item column that the API shows. */
export const itemFields: readonly ItemField[] = [
  make('integer', 'item_id', 'itemnumber', { nullable: false, initial: 0 }),
  make('integer', 'biblio_id', 'biblionumber', { nullable: false, initial: 0 }),
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
  status('withdrawn', 'withdrawn'),
  moment('withdrawn_date', 'withdrawn_on'),
  text('callnumber', 'itemcallnumber', { maxLength: 255 }),
  text('coded_location_qualifier'),
  count('checkouts_count', 'issues'),
  count('renewals_count', 'renewals'),
  count('holds_count', 'reserves'),
  count('restricted_status', 'restricted'),
  text('public_notes', 'itemnotes'),
  text('internal_notes', 'itemnotes_nonpublic'),
  text('holding_library_id', 'holdingbranch', { maxLength: 10 }),
  make('date-time', 'timestamp', 'timestamp', { nullable: false }),
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
];

export const itemFieldNames: ReadonlySet<string> = new Set(itemFields.map((known) => known.name));

export const itemNameByColumn: ReadonlyMap<string, string> = new Map(
  itemFields.map((known) => [known.column, known.name]),
);
