/** RFC 9457 problem details. `code` is stable; nothing of what was sent is ever in it but the name of a field. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly field?: string;
}

const TITLES = {
  header_malformed: 'A signature header is missing, repeated or malformed',
  malformed_request: 'The request is not valid HTTP',
  not_json: 'The body is not JSON in UTF-8',
  unauthorized: 'The signature does not fit',
  not_found: 'There is nothing here',
  id_reused: 'This webhook-id was used for another body',
  too_large: 'The body is larger than 16 KiB',
  unsupported_media_type: 'The content type must be application/json',
  invalid_field: 'A field does not fit',
  rate_limited: 'Too many events for now',
  backlog_full: 'Too many unfinished events',
  unavailable: 'The event cannot be taken now',
} as const;
export type ProblemCode = keyof typeof TITLES;

/** Builds the body of an error answer. */
export function problem(
  status: number,
  code: ProblemCode,
  more: { readonly detail?: string; readonly field?: string } = {},
): Problem {
  return { type: `urn:patron-passport:problem:${code}`, title: TITLES[code], status, code, ...more };
}

export const PROBLEM_TYPE = 'application/problem+json';
