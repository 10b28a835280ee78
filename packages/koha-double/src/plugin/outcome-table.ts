/** What the service told about one scan, as it was sent. */
export interface OutcomeRow extends Readonly<Record<string, unknown>> {
  readonly event_id: string;
  readonly seq: number;
  readonly state: string;
}

/** The plugin's own table: of each scan the state with the highest `seq`. */
export class OutcomeTable {
  readonly #rows = new Map<string, OutcomeRow>();
  readonly #watchers = new Set<(row: OutcomeRow) => void>();

  rows(): OutcomeRow[] {
    return [...this.#rows.values()];
  }

  get(eventId: string): OutcomeRow | undefined {
    return this.#rows.get(eventId);
  }

  put(row: OutcomeRow): void {
    const before = this.#rows.get(row.event_id);
    if (before !== undefined && before.seq >= row.seq) return;
    this.#rows.set(row.event_id, row);
    for (const tell of this.#watchers) tell(row);
  }

  /** Calls `tell` at each stored state; returns how to end that. */
  watch(tell: (row: OutcomeRow) => void): () => void {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }
}
