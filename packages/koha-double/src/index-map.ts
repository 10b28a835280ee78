/** key -> the ids that carry it; the double's stand-in for a database index. */
export class IndexMap {
  readonly #ids = new Map<string, Set<number>>();

  add(key: string, id: number): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, new Set([id]));
    else ids.add(id);
  }

  remove(key: string, id: number): void {
    const ids = this.#ids.get(key);
    if (ids?.delete(id) === true && ids.size === 0) this.#ids.delete(key);
  }

  ids(key: string): ReadonlySet<number> {
    return this.#ids.get(key) ?? none;
  }
}

const none: ReadonlySet<number> = new Set();
