import type { TokenStore } from './auth/token-store.ts';
import type { CheckoutTable } from './checkouts/checkout-table.ts';
import type { Clock } from './clock.ts';
import type { CallLog } from './control/call-log.ts';
import type { FaultQueue } from './control/fault-queue.ts';
import type { Exchange, ReceivedCall } from './exchange.ts';
import type { ItemTable } from './items/item-table.ts';
import type { AttributeGaps } from './patrons/attribute-gaps.ts';
import type { CardReservations } from './patrons/card-reservations.ts';
import type { PatronTable } from './patrons/patron-table.ts';
import type { CopyTable } from './plugin/copy-table.ts';
import type { OutcomeTable } from './plugin/outcome-table.ts';
import type { Settings } from './settings.ts';
import type {
  AttributeTypeRow,
  CategoryRow,
  CirculationRuleRow,
  ItemTypeRow,
  LibraryRow,
} from './setup/setup-rows.ts';
import type { StaffSessions } from './staff-pages/staff-sessions.ts';

/** What one Koha's database holds. A new seed replaces all of it. */
export interface Database {
  readonly patrons: PatronTable;
  readonly items: ItemTable;
  readonly checkouts: CheckoutTable;
  readonly outcomes: OutcomeTable;
  readonly copies: CopyTable;
  readonly reservations: CardReservations;
  readonly attributeGaps: AttributeGaps;
  readonly libraries: Map<string, LibraryRow>;
  readonly categories: Map<string, CategoryRow>;
  readonly itemTypes: Map<string, ItemTypeRow>;
  readonly attributeTypes: Map<string, AttributeTypeRow>;
  circulationRules: readonly CirculationRuleRow[];
  /** Notices queued, enrolment fees charged, statistics rows written. */
  mails: number;
  fees: number;
  statistics: number;
}

/** Files on disk that a double shows. */
export interface DoubleFiles {
  /** The plugin's `desk/main.js`, with the files it imports and `messages.json` beside it. */
  readonly pluginScript: string | undefined;
  /** The program that runs the plugin's own pages (apps/koha-plugin, t/bin/plugin-page.pl). */
  readonly pluginPages: string | undefined;
  /** The packed plugin, offered for download. */
  readonly kpz: string | undefined;
}

/** One Koha: its data, its settings, and the log of its calls. */
export interface Double {
  readonly library: string;
  readonly settings: Settings;
  db: Database;
  readonly tokens: TokenStore;
  readonly calls: CallLog;
  readonly faults: FaultQueue;
  readonly sessions: StaffSessions;
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
