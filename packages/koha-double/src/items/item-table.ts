import { collate } from '../collation.ts';
import { IndexMap } from '../index-map.ts';

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
export class ItemTable {
  readonly #rows = new Map<number, ItemRow>();
  readonly #byBarcode = new IndexMap();
  #nextId = 1;

  get size(): number {
    return this.#rows.size;
  }

  rows(): Iterable<ItemRow> {
    return this.#rows.values();
  }

  get(id: number): ItemRow | undefined {
    return this.#rows.get(id);
  }

  takeId(): number {
    return this.#nextId++;
  }

  put(row: ItemRow): void {
    this.#unindex(row.item_id);
    this.#rows.set(row.item_id, row);
    const barcode = row.columns.external_id;
    if (barcode !== null) this.#byBarcode.add(collate(barcode), row.item_id);
  }

  delete(id: number): void {
    this.#unindex(id);
    this.#rows.delete(id);
  }

  withBarcode(barcode: string): ItemRow | undefined {
    for (const id of this.idsWithBarcode(barcode)) return this.#rows.get(id);
    return undefined;
  }

  idsWithBarcode(barcode: string): ReadonlySet<number> {
    return this.#byBarcode.ids(collate(barcode));
  }

  #unindex(id: number): void {
    const barcode = this.#rows.get(id)?.columns.external_id;
    if (typeof barcode === 'string') this.#byBarcode.remove(collate(barcode), id);
  }
}
