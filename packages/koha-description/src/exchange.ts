/** One request and its answer, as a Koha or a double of one exchanged them. */
export interface KohaExchange {
  readonly method: string;
  /** Path template without the base path, or null where no route fitted. */
  readonly path: string | null;
  /** The raw query string. */
  readonly query: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Parsed JSON, or the fields of a form; undefined when there was none. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseBody: unknown;
  /** Made by a fault: the answer says nothing about Koha. */
  readonly isScripted: boolean;
}

/** What is wrong with one exchange; both lists are empty when it fits. */
export interface CheckedExchange {
  /** Whether the description has this route at all; if not, nothing was checked. */
  readonly isDescribed: boolean;
  readonly request: readonly string[];
  readonly answer: readonly string[];
}
