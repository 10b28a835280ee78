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
  readonly note_seen: boolean | null;
}

/** Current checkouts (one per item) and, apart from them, the returned ones. */
export class CheckoutTable {
  readonly #current = new Map<number, CheckoutRow>();
  readonly #returned = new Map<number, CheckoutRow>();
  readonly #byItem = new Map<number, number>();
  readonly #byPatron = new Map<number, Set<number>>();
  #nextId = 1;

  get size(): number {
    return this.#current.size;
  }

  current(): Iterable<CheckoutRow> {
    return this.#current.values();
  }

  returned(): Iterable<CheckoutRow> {
    return this.#returned.values();
  }

  get(id: number): CheckoutRow | undefined {
    return this.#current.get(id) ?? this.#returned.get(id);
  }

  takeId(): number {
    return this.#nextId++;
  }

  put(row: CheckoutRow): void {
    this.#current.set(row.checkout_id, row);
    if (row.item_id !== null) this.#byItem.set(row.item_id, row.checkout_id);
    const ids = this.#byPatron.get(row.patron_id);
    if (ids === undefined) this.#byPatron.set(row.patron_id, new Set([row.checkout_id]));
    else ids.add(row.checkout_id);
  }

  /** Moves a checkout to the returned ones. */
  close(row: CheckoutRow, at: string, libraryId: string): void {
    this.#current.delete(row.checkout_id);
    if (row.item_id !== null) this.#byItem.delete(row.item_id);
    this.#byPatron.get(row.patron_id)?.delete(row.checkout_id);
    this.#returned.set(row.checkout_id, { ...row, checkin_date: at, checkin_library_id: libraryId });
  }

  /** Gives a patron's checkouts, current and returned, to another. */
  movePatron(from: number, to: number): void {
    const current = this.ofPatron(from);
    this.#byPatron.delete(from);
    for (const row of current) this.put({ ...row, patron_id: to });
    for (const row of this.#returned.values()) {
      if (row.patron_id === from) this.#returned.set(row.checkout_id, { ...row, patron_id: to });
    }
  }

  ofItem(itemId: number): CheckoutRow | undefined {
    const id = this.#byItem.get(itemId);
    return id === undefined ? undefined : this.#current.get(id);
  }

  ofPatron(patronId: number): CheckoutRow[] {
    return [...(this.#byPatron.get(patronId) ?? [])].flatMap((id) => this.#current.get(id) ?? []);
  }

  countOfPatron(patronId: number): number {
    return this.#byPatron.get(patronId)?.size ?? 0;
  }
}
