import type { Condition } from './condition.ts';
import type { Read } from './matches.ts';

/** Rows that can be listed, and how to read and find them. */
export interface Source<Row> {
  /** Rows the user may see, in the order of their ids. */
  rows(): Iterable<Row>;
  /** How many `rows()` has. */
  count(): number;
  /** API or database name -> canonical column name, or undefined where the table has no such column. */
  column(name: string): string | undefined;
  read(row: Row, column: string): unknown;
  /** The rows that an index gives for a condition, a superset of those that match, or null: look at all. */
  candidates?(condition: Condition): Iterable<Row> | null;
  /** Joined rows of `row`, for dotted columns; the condition must hold for one of them. */
  joined?(row: Row): readonly Read[];
}
