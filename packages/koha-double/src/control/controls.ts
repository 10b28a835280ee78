import type { Double } from '../double.ts';
import type { CopyRow } from '../plugin/copy-table.ts';
import { anonymizePatron } from '../patrons/anonymize-patron.ts';
import { mergePatrons } from '../patrons/merge-patrons.ts';
import type { Columns } from '../record.ts';
import { loadSeed } from '../seed/load-seed.ts';
import { resolveSeed, type SeedChoice } from '../seed/resolve-seed.ts';
import type { Credentials } from '../seed/api-user.ts';
import { applySettings, type SettingsChange } from './apply-settings.ts';
import type { FaultDraft } from './fault-queue.ts';
import { putItem } from './put-item.ts';
import { putPatron } from './put-patron.ts';
import { readState, storedItem, storedPatron } from './stored-rows.ts';
import { readSettings } from './settings-view.ts';

export type Controls = ReturnType<typeof buildControls>;

/** The control routes (`packages/koha-double/README.md`) as functions in the same process. */
export function buildControls(double: Double, credentials: Credentials) {
  return {
    /** All rows, or those of one card. */
    state: (cardnumber?: string) => readState(double, cardnumber),
    putPatron: (cardnumber: string, columns: Columns) =>
      storedPatron(double, putPatron(double, cardnumber, columns)),
    /** Whether there was one. */
    deletePatron: (cardnumber: string) => {
      const row = double.db.patrons.withCard(cardnumber);
      if (row !== undefined) double.db.patrons.delete(row.patron_id);
      return row !== undefined;
    },
    /** Koha's anonymising of a patron, who gets another card by it; null: there is none, or he has checkouts. */
    anonymizePatron: (cardnumber: string) => {
      const row = double.db.patrons.withCard(cardnumber);
      const changed = row === undefined ? null : anonymizePatron(double, row);
      return changed === null ? null : storedPatron(double, changed);
    },
    /** Merges a patron into another, who is returned; null: one is missing, or Koha does not merge them. */
    mergePatron: (cardnumber: string, into: string) => {
      const [other, keeper] = [cardnumber, into].map((card) => double.db.patrons.withCard(card));
      const kept = other === undefined || keeper === undefined ? null : mergePatrons(double, keeper, other);
      return kept === null ? null : storedPatron(double, kept);
    },
    /** What the plugin remembers of a copy, whatever it was. */
    putCopy: (row: CopyRow) => void double.db.copies.put(row),
    putItem: (barcode: string, columns: Columns) => storedItem(putItem(double, barcode, columns)),
    deleteItem: (barcode: string) => {
      const row = double.db.items.withBarcode(barcode);
      if (row !== undefined) double.db.items.delete(row.item_id);
      return row !== undefined;
    },
    /** The API calls, numbered from 1; those above `since` only. */
    calls: (since = 0) => double.calls.since(since),
    clearCalls: () => double.calls.clear(),
    addFaults: (faults: readonly FaultDraft[]) => double.faults.add(faults),
    faultsLeft: () => double.faults.left(),
    clearFaults: () => double.faults.clear(),
    settings: () => readSettings(double),
    /** Throws a RangeError that says what was not understood. */
    putSettings: (change: SettingsChange) => {
      const fault = applySettings(double, { ...change });
      if (fault !== null) throw new RangeError(fault);
    },
    /** Replaces all data. */
    seed: (choice: SeedChoice) => loadSeed(double, resolveSeed(choice, credentials)),
    /** Every token so far is refused with 401 from now on. */
    revokeTokens: () => double.tokens.revokeAll(),
  };
}
