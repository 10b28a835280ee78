/** One API call. `status` and `ms` are null while it is open, `status` stays null when no answer went out. */
export interface CallEntry {
  readonly n: number;
  /** Milliseconds since the epoch, by the machine's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The raw query string, without `?`. */
  readonly query: string;
  /** Method and path template as in Koha's description, or null where no route fitted. */
  readonly operation: string | null;
  /** The `x-koha-library` header. */
  readonly library: string | null;
  status: number | null;
  client_id: string | null;
  ms: number | null;
}

const capacity = 200_000;

/** The API calls in the order of their arrival; the oldest fall out beyond 200,000. */
export class CallLog {
  #entries: CallEntry[] = [];
  #count = 0;

  begin(call: Pick<CallEntry, 'at' | 'method' | 'path' | 'query' | 'operation' | 'library'>): CallEntry {
    const entry: CallEntry = { n: ++this.#count, ...call, status: null, client_id: null, ms: null };
    this.#entries.push(entry);
    if (this.#entries.length >= capacity * 2) this.#entries = this.#entries.slice(-capacity);
    return entry;
  }

  /** Calls numbered above `since`. */
  since(since: number): CallEntry[] {
    const kept = this.#entries.slice(-capacity);
    const first = kept[0]?.n ?? 0;
    return kept.slice(Math.max(0, since - first + 1));
  }

  clear(): void {
    this.#entries = [];
  }
}
