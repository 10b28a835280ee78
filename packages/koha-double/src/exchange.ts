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

/** An API call as it came in whole, before anything is done with it: for tests of what has left for a Koha, answered or not. */
export interface ReceivedCall {
  /** Method and path template, such as `PUT /patrons/{patron_id}`; null where no route fitted. */
  readonly operation: string | null;
  readonly path: string;
  /** The raw query string. */
  readonly query: string;
  /** Parsed JSON; undefined where there was none. */
  readonly body: unknown;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}
