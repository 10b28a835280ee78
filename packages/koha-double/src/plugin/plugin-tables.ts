/** What the desk is shown of the standing of a copy's patron. */
export interface StandingRow {
  readonly is_good: boolean;
  readonly reasons: readonly string[];
  readonly home_name: string;
}

/** What the service wrote into one copy, as the plugin stores it (its `Copies.pm`). */
export interface CopyRow {
  readonly patron_id: number;
  readonly version: number;
  readonly home_key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Null: nothing is shown. Left out of a row to store: what is there stays. */
  readonly standing?: StandingRow | null;
}

const DAY_MS = 24 * 3_600_000;
/** Where the service has the standing checked, each visit is reported; a self-check scans the card anew with each item. */
const VISIT_MS = 60_000;
/** A check that takes longer is none that the desk waits for. */
const CHECKING_MS = 60_000;

/** The plugin's table of copies. Every change names the version that it is based on; 0: there is no row yet. */
export class CopyTable {
  readonly #rows = new Map<number, CopyRow>();
  readonly #seenAtMs = new Map<number, number>();
  readonly #checkedAtMs = new Map<number, number>();
  readonly #told = new Map<number, unknown>();

  /** By the patron's number. */
  rows(): CopyRow[] {
    return [...this.#rows.values()].toSorted((a, b) => a.patron_id - b.patron_id);
  }

  /** The new version, or null where the row is of another one by now. */
  keep(row: CopyRow, nowMs: number): number | null {
    if (row.version !== (this.#rows.get(row.patron_id)?.version ?? 0)) return null;
    // What was written just now is as home has it.
    if (row.version === 0) this.#seenAtMs.set(row.patron_id, nowMs);
    if (row.standing !== undefined) this.#checkedAtMs.set(row.patron_id, nowMs);
    return this.put(row);
  }

  /** Notes that the standing of these copies was checked, and is as it was. */
  noteChecked(patronIds: readonly number[], nowMs: number): void {
    for (const id of patronIds) if (this.#rows.get(id)?.standing) this.#checkedAtMs.set(id, nowMs);
  }

  /** What the desk is shown of a copy; null: nothing. */
  standingOf(patronId: number, nowMs: number) {
    const standing = this.#rows.get(patronId)?.standing ?? null;
    if (standing === null) return null;
    const seenAtMs = this.#seenAtMs.get(patronId) ?? 0;
    const checkedAtMs = this.#checkedAtMs.get(patronId) ?? 0;
    return {
      patron_id: patronId,
      ...standing,
      checked_s: Math.max(0, Math.floor((nowMs - checkedAtMs) / 1000)),
      is_checking: seenAtMs > checkedAtMs && nowMs - seenAtMs < CHECKING_MS,
    };
  }

  /** As if so much time had passed since the last scan and check of this copy. */
  age(patronId: number, ms: number): void {
    for (const times of [this.#seenAtMs, this.#checkedAtMs]) {
      const at = times.get(patronId);
      if (at !== undefined) times.set(patronId, at - ms);
    }
  }

  /** Notes what a patron may be told of a copy that was made, once, as the plugin decides once whether to queue its notice. */
  tell(patronId: number, made: unknown): void {
    if (!this.#told.has(patronId)) this.#told.set(patronId, made);
  }

  told(): readonly (readonly [patronId: number, made: unknown])[] {
    return [...this.#told];
  }

  /** Whether a scan of this patron is to be reported: of a copy, once a day, or where its standing is checked at each visit. */
  markSeen(patronId: number, nowMs: number): boolean {
    const row = this.#rows.get(patronId);
    const last = this.#seenAtMs.get(patronId) ?? -Infinity;
    if (row === undefined || nowMs - last < (row.standing ? VISIT_MS : DAY_MS)) return false;
    this.#seenAtMs.set(patronId, nowMs);
    return true;
  }

  /** Stores the row whatever was there, and returns its new version. */
  put(row: CopyRow): number {
    const version = row.version + 1;
    const standing =
      row.standing === undefined ? (this.#rows.get(row.patron_id)?.standing ?? null) : row.standing;
    this.#rows.set(row.patron_id, { ...row, version, standing });
    return version;
  }
}

/** What the service reported about one scan, as it was sent. */
export interface OutcomeRow extends Readonly<Record<string, unknown>> {
  readonly event_id: string;
  readonly seq: number;
  readonly state: string;
}

/** When the receiver is queried for an event that the service should have reported by now. */
const queryAfterMs = 2000;
const queryAgainAfterMs = 5000;
/** So long after a scan the page that comes of it takes over its event. */
const handedMs = 10_000;

/** To whom an event may be handed; null: to nobody, or a page has it already. */
type Handing = { readonly scanKey: string; readonly untilMs: number } | null;

/** The plugin's own table: of each scan the state with the highest `seq`, an end before another state of the same, and when to query the receiver for it. */
export class OutcomeTable {
  readonly #rows = new Map<string, OutcomeRow>();
  readonly #queryAt = new Map<string, number>();
  readonly #handing = new Map<string, Handing>();

  /** States that the service reported; scans of which nothing is known yet are not among them. */
  rows(): OutcomeRow[] {
    return [...this.#rows.values()];
  }

  get(eventId: string): OutcomeRow | undefined {
    return this.#rows.get(eventId);
  }

  /** Remembers an event that was sent; with `scanKey` a page may take it over, unless one has it already. */
  note(eventId: string, nowMs: number, scanKey?: string): void {
    if (!this.#queryAt.has(eventId)) this.#queryAt.set(eventId, nowMs + queryAfterMs);
    if (this.#handing.has(eventId)) return;
    this.#handing.set(eventId, scanKey === undefined ? null : { scanKey, untilMs: nowMs + handedMs });
  }

  /** The event of a scan of the last ten seconds, once. */
  handOut(scanKey: string, nowMs: number): string | null {
    for (const [eventId, handing] of [...this.#handing].toReversed()) {
      if (handing?.scanKey !== scanKey || handing.untilMs <= nowMs) continue;
      this.#handing.set(eventId, null);
      return eventId;
    }
    return null;
  }

  isNoted(eventId: string): boolean {
    return this.#queryAt.has(eventId);
  }

  put(row: OutcomeRow, nowMs: number): void {
    const before = this.#rows.get(row.event_id);
    const isEnd = ['done', 'failed'].includes(row.state) && !this.isFinal(row.event_id);
    if (before !== undefined && (before.seq > row.seq || (before.seq === row.seq && !isEnd))) return;
    this.#rows.set(row.event_id, row);
    this.#queryAt.set(row.event_id, nowMs + queryAfterMs);
  }

  /** What the receiver answered a moment ago: of the same `seq` it says more than what is kept. */
  putCurrent(row: OutcomeRow, nowMs: number): void {
    const isKept = this.#rows.get(row.event_id)?.seq === row.seq;
    if (isKept) this.#rows.set(row.event_id, row);
    else this.put(row, nowMs);
  }

  isFinal(eventId: string): boolean {
    const state = this.#rows.get(eventId)?.state;
    return state === 'done' || state === 'failed';
  }

  /** Nothing comes of waiting longer: the service has decided, or waits for the patron's consent. */
  isDecided(eventId: string): boolean {
    const row = this.#rows.get(eventId);
    return this.isFinal(eventId) || (row?.state === 'waiting' && Boolean(row['consent'] ?? row['asks']));
  }

  /** True for one of several simultaneous callers, when the receiver may be queried. */
  mayQuery(eventId: string, nowMs: number): boolean {
    const queryAt = this.#queryAt.get(eventId);
    if (queryAt === undefined || queryAt > nowMs || this.isFinal(eventId)) return false;
    this.#queryAt.set(eventId, nowMs + queryAgainAfterMs);
    return true;
  }
}
