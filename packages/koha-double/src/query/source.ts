import type { Condition } from './condition.ts';
import type { Read } from './matches.ts';

/** Rows that can be listed, and how to read and find them. */
export interface Source<Row> {
  /** Rows the user may see, in the order of their ids. */
  rows(): Iterable<Row>;
  /** How many `rows()` has. */
  count(): number;
  /**
   * API or database name -> canonical column name, or undefined where the table has no such column. Names of joined
   * tables are dotted; the prefix of the listed table itself (`me.`) is gone already.
   */
  column(name: string): string | undefined;
  read(row: Row, column: string): unknown;
  /** Whether a name without a prefix is a column of a joined table as well: the database refuses such a query. */
  isAmbiguous?(name: string): boolean;
  /**
   * What Koha makes of a value for a column of its own at the top of a query: dates and times must be written as the
   * API writes them, and become the database's. Null: Koha fails on it.
   */
  convert?(column: string, value: string): string | null;
  /** What Koha makes of a parsed `q` before it searches. Null: the database refuses what comes out. */
  rewrite?(query: unknown): { readonly query: unknown } | null;
  /** The rows that an index gives for a condition, a superset of those that match, or null: look at all. */
  candidates?(condition: Condition): Iterable<Row> | null;
  /** Whether Koha fails at each list that contains the row. */
  isBroken?(row: Row): boolean;
  /** Combinations of joined rows of `row` for these dotted columns; the condition must hold for one of them. */
  joined?(row: Row, columns: ReadonlySet<string>): Iterable<Read>;
}
