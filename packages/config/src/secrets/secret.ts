const MASK = '[secret]';

/**
 * A value that does not print: `[secret]` in JSON, util.inspect, templates and logs, nothing when spread. `reveal()` is the only way
 * to it, so that a search for `reveal(` finds every place where a secret leaves its box. `source` says where it came from, such as
 * `env MIDLAND_CLIENT_ID`.
 */
export class Secret<T> {
  readonly #value: T;
  readonly #source: string;

  constructor(value: T, source = 'given') {
    this.#value = value;
    this.#source = source;
  }

  get source(): string {
    return this.#source;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
