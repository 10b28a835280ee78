/** One API request and its answer, whole: for tests that hold both against Koha's own description. */
export interface Exchange {
  readonly method: string;
  /** Path template without the base path, or null where no route fitted. */
  readonly path: string | null;
  /** The raw query string. */
  readonly query: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Parsed JSON, or the fields of a form; undefined when there was none. */
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** What was sent, before it became text; undefined when the answer has no body. */
  readonly responseBody: unknown;
  /** A fault made this answer: it says nothing about Koha. */
  readonly isScripted: boolean;
}
