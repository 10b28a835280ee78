import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import type { PatronRow } from '../patrons/patron-row.ts';
import { isRecord } from '../record.ts';
import { holdReasons } from './hold-reasons.ts';
import { itemReasons } from './item-reasons.ts';
import { limitReasons } from './limit-reasons.ts';
import { loanReasons } from './loan-reasons.ts';
import { patronReasons } from './patron-reasons.ts';

/** Koha's reasons around one loan: upper-case keys, and in lower case the data that goes with them. */
export interface Availability {
  readonly blockers: Record<string, unknown>;
  readonly confirms: Record<string, unknown>;
  readonly warnings: Record<string, unknown>;
}

/** One loan that is asked for. */
export interface Wish {
  readonly double: Double;
  readonly patron: PatronRow;
  readonly item: ItemRow;
  readonly actingLibrary: string;
  /** A superlibrarian is not bound by `IndependentBranches`. */
  readonly isSuperlibrarian: boolean;
}

/** What stands against a loan, without making it. */
export function judgeAvailability(wish: Wish): Availability {
  const found: Availability = { blockers: {}, confirms: {}, warnings: {} };
  patronReasons(wish, found);
  loanReasons(wish, found);
  limitReasons(wish, found);
  itemReasons(wish, found);
  holdReasons(wish, found);
  addScripted(wish.patron.hidden['circulation_extra'], found);
  addScripted(wish.item.hidden['circulation_extra'], found);
  return found;
}

/** Any further key that a test wants Koha to name, from the hidden column `circulation_extra`. */
function addScripted(extra: unknown, found: Availability): void {
  if (!isRecord(extra)) return;
  for (const group of ['blockers', 'confirms', 'warnings'] as const) {
    const keys = extra[group];
    if (isRecord(keys)) Object.assign(found[group], keys);
  }
}
