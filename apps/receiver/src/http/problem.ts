import type { FastifyReply } from 'fastify';
import { TIMESTAMP_TOLERANCE_SECONDS } from '@passport/contract';
import type { Unauthorized } from '../deliveries/authentication.ts';
import type { NotFoundReason, Refusal } from '../deliveries/refusal.ts';

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
  no_question: [409, 'The event does not wait for this answer'],
  answered_before: [409, 'There is another answer already'],
  other_text: [409, 'The patron was shown another text'],
  no_option: [409, 'This was none of the options'],
  request_pending: [409, 'Another request waits at this invitation'],
  request_discarded: [409, 'An operator has discarded this request'],
  other_branch: [409, 'The scan was made at another branch'],
  too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The content type must be application/json'],
  invalid_field: [422, 'A field does not fit'],
  rate_limited: [429, 'Too many events for now'],
  backlog_full: [429, 'Too many unfinished events'],
  unavailable: [503, 'The event cannot be taken now'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
export const PROBLEM_TYPE = 'application/problem+json';

/** Whether a content type is JSON's, whatever its parameters. */
export const isJson = (type = ''): boolean => /^application\/json[\t ]*(?:;|$)/i.test(type);

/** Builds the body of an error answer. */
export function buildProblem(code: ProblemCode, more: ProblemMembers = {}): ProblemDetails {
  const [status, title] = PROBLEMS[code];
  return { type: `urn:patron-passport:problem:${code}`, title, status, code, ...more };
}

/** Whoever gets these may be a stranger: the connection ends with the answer. */
const LAST_WORDS: ReadonlySet<ProblemCode> = new Set([
  'header_malformed',
  'malformed_request',
  'unauthorized',
  'request_timeout',
  'too_large',
  'unsupported_media_type',
]);

/** Answers with a problem; `retry-after` is in whole seconds, at least one. */
export function refuse(
  reply: FastifyReply,
  code: ProblemCode,
  more: ProblemMembers & { readonly retryAfterMs?: number } = {},
): FastifyReply {
  const { retryAfterMs, ...shown } = more;
  if (retryAfterMs !== undefined) {
    void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  if (LAST_WORDS.has(code)) void reply.header('connection', 'close');
  const problem = buildProblem(code, shown);
  // As bytes: to text Fastify would add a charset, which this media type does not have.
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_TYPE)
    .send(Buffer.from(JSON.stringify(problem)));
}

/** Answers with the problem that a refusal is. */
export function answerRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  switch (refusal.kind) {
    case 'header_malformed': {
      const { header, problem } = refusal;
      return refuse(reply, 'header_malformed', { field: header, detail: `${header} ${problem}` });
    }
    case 'invalid_field': {
      const { field, problem } = refusal;
      return refuse(reply, 'invalid_field', { field, detail: `${field || 'the body'} ${problem}` });
    }
    case 'unauthorized':
      // What a stranger may know, which is the same for a library that we know and for one that we do not.
      return refuse(reply, 'unauthorized', { reason: refusal.why.reason, detail: detailOf(refusal.why) });
    case 'not_json':
    case 'id_reused':
      return refuse(reply, refusal.kind);
    case 'not_found':
      return refuse(reply, 'not_found', reasonMembers(refusal.reason));
    case 'rate_limited':
    case 'backlog_full':
    case 'unavailable':
      return refuse(reply, refusal.kind, { retryAfterMs: refusal.retryAfterMs });
    default:
      return refusal satisfies never;
  }
}

const NOT_FOUND_DETAILS: Readonly<Record<NotFoundReason, string>> = {
  not_seen: 'the event has not come; should it still come, it is cancelled',
  not_kept: 'the event has come, and its record is not kept any more',
};

const reasonMembers = (reason: NotFoundReason | undefined): ProblemMembers =>
  reason === undefined ? {} : { reason, detail: NOT_FOUND_DETAILS[reason] };

function detailOf(why: Unauthorized): string {
  switch (why.reason) {
    case 'clock': {
      const off = `${Math.abs(why.secondsAhead)} s ${why.secondsAhead > 0 ? 'ahead of' : 'behind'}`;
      return `webhook-timestamp is ${off} the receiver's clock, and may be ${TIMESTAMP_TOLERANCE_SECONDS} s off`;
    }
    case 'library':
      return 'the secret is of a library with another id';
    case 'signature':
      return why.isOfAnotherEvent === true
        ? 'webhook-id is not the id of the path'
        : 'the secret or the library id is wrong';
    default:
      return why satisfies never;
  }
}
