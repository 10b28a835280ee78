/** RFC 9457 problem details. `code` is stable; nothing of what was sent is ever in it but the name of a field. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly field?: string;
  readonly reason?: UnauthorizedReason | NotFoundReason;
}

/** What may be said of a delivery that is answered 401. */
export const UNAUTHORIZED_REASONS = ['clock', 'library', 'signature'] as const;
export type UnauthorizedReason = (typeof UNAUTHORIZED_REASONS)[number];

/** Which 404 a cancel is answered with: the event has not come, or it has and nothing is known of it any more. */
export const NOT_FOUND_REASONS = ['not_seen', 'not_kept'] as const;
export type NotFoundReason = (typeof NOT_FOUND_REASONS)[number];

/** What a problem says beside its code. */
export type ProblemMembers = Pick<ProblemDetails, 'detail' | 'field' | 'reason'>;

const PROBLEMS = {
  header_malformed: [400, 'A signature header is missing, repeated or malformed'],
  malformed_request: [400, 'The request is not valid HTTP'],
  not_json: [400, 'The body is not JSON in UTF-8'],
  unauthorized: [401, 'The delivery is not known to be genuine'],
  not_found: [404, 'There is nothing here'],
  request_timeout: [408, 'The request took too long to arrive'],
  id_reused: [409, 'This webhook-id was used for another body'],
  no_question: [409, 'The event does not wait for a consent'],
  answered_before: [409, 'The patron has given another answer'],
  other_text: [409, 'The patron was shown another text'],
  too_large: [413, 'The body is larger than 16 KiB'],
  unsupported_media_type: [415, 'The content type must be application/json'],
  invalid_field: [422, 'A field does not fit'],
  rate_limited: [429, 'Too many events for now'],
  backlog_full: [429, 'Too many unfinished events'],
  unavailable: [503, 'The event cannot be taken now'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
export const PROBLEM_TYPE = 'application/problem+json';

/** Builds the body of an error answer. */
export function buildProblem(code: ProblemCode, more: ProblemMembers = {}): ProblemDetails {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:patron-passport:problem:${code}`, title, status, code, ...more };
}
