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

/** What is shown of a secret: where it comes from. */
export const printSecret = (secret: Secret<unknown>): string => `[secret from ${secret.source}]`;

/**
 * Secrets that a process may need: the API keys of the libraries' Kohas, what signs their events, passwords of the dashboard, and what
 * operators are notified with.
 */
export const SECRET_KINDS = ['koha', 'webhook', 'user', 'notify'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** Where a secret is to be found: in the environment, or in a file. */
export type SecretSource = { readonly env: string } | { readonly file: string };

/** The place of a secret that was not read, be it that the process does not need it: empty. */
export class UnreadSecret extends Secret<string> {
  readonly kind: SecretKind;
  readonly place: SecretSource;

  constructor(kind: SecretKind, place: SecretSource) {
    super('', 'file' in place ? `file ${place.file}` : `env ${place.env}`);
    this.kind = kind;
    this.place = place;
  }
}
