import type { CheckoutTable, LoanRow } from './checkouts/checkout-table.ts';
import type { Clock } from './clock.ts';
import type { FaultQueue } from './control/fault-queue.ts';
import type { ItemTable } from './items/item-table.ts';
import type { AttributeGaps, CardReservations } from './patrons/open-creates.ts';
import type { PatronTable } from './patrons/patron-table.ts';
import type { CopyTable, OutcomeTable } from './plugin/plugin-tables.ts';
import type { Settings } from './settings.ts';
import type { SetupTables } from './setup/setup-rows.ts';
import type { Table } from './table.ts';

/** What one Koha's database holds. A new seed replaces all of it. */
export interface Database extends SetupTables {
  readonly patrons: PatronTable;
  readonly items: ItemTable;
  /** Only those that the API made: any other item's is a number alone. */
  readonly biblios: Table<{ readonly biblio_id: number; readonly title: string | null }, never>;
  readonly checkouts: CheckoutTable;
  readonly outcomes: OutcomeTable;
  readonly copies: CopyTable;
  readonly reservations: CardReservations;
  readonly attributeGaps: AttributeGaps;
  /** Notices queued, enrolment fees charged, statistics rows written. */
  mails: number;
  fees: number;
  statistics: number;
  /** Koha's table of statistics, as far as it has checkouts, renewals and returns. */
  readonly loans: LoanRow[];
}

/** Files on disk that a double shows. */
export interface DoubleFiles {
  /** The plugin's `desk/main.js`, with all of that folder beside it; without it staff pages have no panel. */
  readonly pluginScriptPath?: string;
  /** The plugin's `t/bin/plugin-page.pl`, which runs its configuration and tool page by its own Perl; without it they are only listed. */
  readonly pluginPagesPath?: string;
  /** The packed plugin (`.kpz`), offered for download on the staff pages. */
  readonly kpzPath?: string;
}

/** One Koha: its data, its settings, and the log of its calls. */
export interface Double {
  readonly library: string;
  readonly settings: Settings;
  db: Database;
  readonly tokens: TokenStore;
  readonly calls: CallLog;
  readonly faults: FaultQueue;
  /** By their cookie. */
  readonly sessions: Map<string, StaffSession>;
  readonly clock: Clock;
  /** Signs confirmation tokens; each server has its own. */
  readonly tokenSecret: string;
  /** The machine's clock in milliseconds, without the skew of `clock`. */
  realNowMs(): number;
  newId(): string;
  /** Whether a page waits for a patron to appear: only one may. */
  readonly waiting: { isTaken: boolean };
  readonly files: DoubleFiles;
  /** Gets every answered API call. */
  onExchange: ((exchange: Exchange) => void) | undefined;
  /** Gets every API call as it is read, whatever a fault makes of it then. */
  onCall: ((call: ReceivedCall) => void) | undefined;
}

/** One API request and its answer, whole: for tests that hold both against Koha's own description. */
export interface Exchange {
  readonly method: string;
  /** Path template without the base path, or null where no route fitted. */
  readonly path: string | null;
  /** The raw query string. */
  readonly query: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Parsed JSON, or the fields of a form; undefined when there was none. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** What was sent, before it became text; undefined when the answer has no body. */
  readonly responseBody: unknown;
  /** A fault made this answer: it says nothing about Koha. */
  readonly isScripted: boolean;
}

/** An API call as it came in whole, before anything is done with it: for tests of what has left for a Koha, answered or not. */
export interface ReceivedCall {
  /** Method and path template, such as `PUT /patrons/{patron_id}`; null where no route fitted. */
  readonly operation: string | null;
  readonly path: string;
  /** The raw query string. */
  readonly query: string;
  /** Parsed JSON; undefined where there was none. */
  readonly body: unknown;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

interface Token {
  readonly patronId: number;
  readonly clientId: string;
  readonly endsAtMs: number;
}

/** OAuth2 tokens in force. An expired one is dropped at the moment it is used, as Koha does. */
export class TokenStore {
  readonly #tokens = new Map<string, Token>();

  add(token: string, owner: Token): void {
    this.#tokens.set(token, owner);
  }

  find(token: string, nowMs: number): Token | undefined {
    const found = this.#tokens.get(token);
    if (found === undefined || found.endsAtMs > nowMs) return found;
    this.#tokens.delete(token);
    return undefined;
  }

  hasOf(clientId: string): boolean {
    return [...this.#tokens.values()].some((owner) => owner.clientId === clientId);
  }

  /** Those of one key: Koha keeps them when a key is revoked, the plugin does not. */
  revoke(clientId: string): void {
    for (const [token, owner] of this.#tokens) if (owner.clientId === clientId) this.#tokens.delete(token);
  }

  revokeAll(): void {
    this.#tokens.clear();
  }
}

/** A logged-in staff browser. The CSRF token is tied to it. */
export interface StaffSession {
  readonly id: string;
  readonly csrfToken: string;
  readonly patronId: number;
  readonly libraryId: string;
}

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
