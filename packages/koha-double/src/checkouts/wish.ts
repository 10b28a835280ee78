import type { Double } from '../double.ts';
import type { ItemRow } from '../items/item-table.ts';
import type { PatronRow } from '../patrons/patron-row.ts';

/** Koha's reasons about one checkout: upper-case keys, and in lower case the data that goes with them. */
export interface Availability {
  readonly blockers: Record<string, unknown>;
  readonly confirms: Record<string, unknown>;
  readonly warnings: Record<string, unknown>;
}

/** One checkout that is requested. */
export interface Wish {
  readonly double: Double;
  readonly patron: PatronRow;
  readonly item: ItemRow;
  readonly actingLibrary: string;
  /** A superlibrarian is not bound by `IndependentBranches`. */
  readonly isSuperlibrarian: boolean;
}
