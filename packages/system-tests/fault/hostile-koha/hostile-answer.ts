/** A call as the hostile Koha sees it, with what an honest Koha answered to it. */
export interface HostileRequest {
  readonly method: string;
  /** Below `/api/v1`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly status: number;
  readonly text: string;
}

/** What was sent to a hostile Koha to be written, and what the honest one behind it answered. */
export interface Written {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

/** What is sent in its place. */
export interface HostileAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer | AsyncIterable<string>;
}

/** One way to answer; undefined where the honest answer goes out as it is. */
export type Hostility = (request: HostileRequest) => HostileAnswer | undefined;

/** Planted in every answer that holds text: nobody but this Koha may ever show it. */
export const STRANGER_TEXT = 'Log in at https://stranger.example as Qvistgaard, 12 Elm Street';
/** The same for places where only what looks like one of Koha's own codes gets through. */
export const STRANGER_CODE = 'QVISTGAARD_ELM';

export const MEGABYTE = 1024 * 1024;

/** {@link STRANGER_TEXT} again and again. */
export const longText = (length: number): string =>
  STRANGER_TEXT.repeat(Math.ceil(length / STRANGER_TEXT.length)).slice(0, length);

export const json = (value: unknown, status = 200): HostileAnswer => ({
  status,
  body: JSON.stringify(value),
});

/** Answers one operation in its own way. */
export const on =
  (method: string, path: RegExp, answer: (request: HostileRequest) => HostileAnswer): Hostility =>
  (request) =>
    request.method === method && path.test(request.path) ? answer(request) : undefined;

/** The rows of an honest list, each changed. */
export function eachRow(
  request: HostileRequest,
  change: (row: Record<string, unknown>) => object,
): HostileAnswer {
  const rows = JSON.parse(request.text) as Record<string, unknown>[];
  return json(
    rows.map((row) => change(row)),
    request.status,
  );
}

/** Text without an end, some of it every `everyMs`. */
export async function* endless(part: string, everyMs = 0): AsyncGenerator<string, void, void> {
  for (;;) {
    yield part;
    if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Rows that look like a list's own, as many as requested, on every page. */
export const fullPage = (row: (n: number) => object): HostileAnswer =>
  json(Array.from({ length: 100 }, (_, n) => row(n + 1)));
