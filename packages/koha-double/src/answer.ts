import { isFrom, type Release } from './release.ts';

/** What a route answers. A body that is `undefined` sends none; `text` goes out as it is, all else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

/** One complaint of Koha's validator about a request. */
export interface InputError {
  readonly message: string;
  readonly path: string;
}

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}

/** An application error: `{"error": ..., "error_code"?: ...}`. */
export function problem(
  status: number,
  error: unknown,
  extra: Readonly<Record<string, unknown>> = {},
): Answer {
  return { status, body: { error, ...extra } };
}

/** The validator's shape: `{"errors": [...], "status": N}`. */
export function invalid(errors: readonly InputError[], status = 400): Answer {
  return { status, body: { errors, status } };
}

/** What Koha says of anything it caught and did not foresee, database errors included. */
export function crash(): Answer {
  return problem(500, 'Something went wrong, check Koha logs for details.', {
    error_code: 'internal_server_error',
  });
}

/** An error that no `try` of the route catches. */
export function uncaught(): Answer {
  return invalid([{ message: 'Internal Server Error.', path: '/' }], 500);
}

/** Unknown path, or a method that the path does not have: never 405. */
export function noRoute(): Answer {
  return invalid([{ message: 'Not Found.', path: '/' }], 404);
}

/** An application 404; the code came with 24.05. */
export function notFound(release: Release, what: string): Answer {
  return problem(404, `${what} not found`, isFrom(release, '24.05') ? { error_code: 'not_found' } : {});
}
