/** What the service wrote into one copy, as the plugin stores it (its `Copies.pm`). */
export interface CopyRow {
  readonly patron_id: number;
  readonly version: number;
  readonly home_key: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const DAY_MS = 24 * 3_600_000;

/** The plugin's table of copies. Every change names the version that it is based on; 0: there is no row yet. */
export class CopyTable {
  readonly #rows = new Map<number, CopyRow>();
  readonly #seenAtMs = new Map<number, number>();

  /** By the patron's number. */
  rows(): CopyRow[] {
    return [...this.#rows.values()].toSorted((a, b) => a.patron_id - b.patron_id);
  }

  /** The new version, or null where the row is of another one by now. */
  keep(row: CopyRow, nowMs: number): number | null {
    if (row.version !== (this.#rows.get(row.patron_id)?.version ?? 0)) return null;
    // What was written just now is as home has it.
    if (row.version === 0) this.#seenAtMs.set(row.patron_id, nowMs);
    return this.put(row);
  }

  /** Whether a scan of this patron is to be reported: of a copy, once a day. */
  markSeen(patronId: number, nowMs: number): boolean {
    const last = this.#seenAtMs.get(patronId) ?? -Infinity;
    if (!this.#rows.has(patronId) || nowMs - last < DAY_MS) return false;
    this.#seenAtMs.set(patronId, nowMs);
    return true;
  }

  /** Stores the row whatever was there, and returns its new version. */
  put(row: CopyRow): number {
    const version = row.version + 1;
    this.#rows.set(row.patron_id, { ...row, version });
    return version;
  }
}
