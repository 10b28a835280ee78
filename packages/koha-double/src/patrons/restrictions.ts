import { isRecord } from '../record.ts';

/** A row of `borrower_debarments` that the plugin wrote. Those of staff are the hidden column `debarred` only. */
export interface RestrictionRow {
  readonly id: number;
  readonly type: string;
  readonly comment: string;
  /** The day with which it ends; null: none. */
  readonly expiration: string | null;
}

/** The plugin's restrictions of a patron, kept in the hidden column `restrictions`. */
export function restrictionsOf({
  hidden,
}: {
  readonly hidden: Readonly<Record<string, unknown>>;
}): readonly RestrictionRow[] {
  const rows = hidden['restrictions'];
  return Array.isArray(rows) ? rows.filter(isRestriction) : [];
}

function isRestriction(row: unknown): row is RestrictionRow {
  return isRecord(row) && typeof row['id'] === 'number';
}
