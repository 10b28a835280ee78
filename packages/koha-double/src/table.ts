import { collate } from './collation.ts';

/** Rows by their number, with indexes over text as a database has them: collated. Says nothing of rules: those come before. */
export class Table<Row, Index extends string> {
  readonly #rows = new Map<number, Row>();
  readonly #ids = new Map<string, Set<number>>();
  readonly #idOf: (row: Row) => number;
  readonly #keysOf: (row: Row) => Iterable<readonly [index: Index, key: string]>;
  #nextId = 1;

  constructor(
    idOf: (row: Row) => number,
    keysOf: (row: Row) => Iterable<readonly [index: Index, key: string]>,
  ) {
    this.#idOf = idOf;
    this.#keysOf = keysOf;
  }

  get size(): number {
    return this.#rows.size;
  }

  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  get(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  /** A number that no row has or had. */
  takeId(): number {
    return this.#nextId++;
  }

  put(row: Row): void {
    const id = this.#idOf(row);
    this.#unindex(id);
    this.#rows.set(id, row);
    for (const name of this.#namesOf(row)) {
      const ids = this.#ids.get(name) ?? new Set();
      this.#ids.set(name, ids.add(id));
    }
  }

  delete(id: number): void {
    this.#unindex(id);
    this.#rows.delete(id);
  }

  /** Numbers of the rows that have the key. */
  ids(index: Index, key: string): ReadonlySet<number> {
    return this.#ids.get(nameOf(index, key)) ?? none;
  }

  first(index: Index, key: string): Row | undefined {
    for (const id of this.ids(index, key)) return this.#rows.get(id);
    return undefined;
  }

  /** The rows of these numbers, in their order. */
  inOrder(ids: Iterable<number>): Row[] {
    return [...ids].toSorted((a, b) => a - b).flatMap((id) => this.#rows.get(id) ?? []);
  }

  #unindex(id: number): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    for (const name of this.#namesOf(row)) {
      const ids = this.#ids.get(name);
      if (ids?.delete(id) === true && ids.size === 0) this.#ids.delete(name);
    }
  }

  *#namesOf(row: Row): Iterable<string> {
    for (const [index, key] of this.#keysOf(row)) yield nameOf(index, key);
  }
}

const none: ReadonlySet<number> = new Set();

const nameOf = (index: string, key: string): string => `${index} ${collate(key)}`;
