import type { FastifyReply } from 'fastify';
import { TIMESTAMP_TOLERANCE_SECONDS } from '@passport/contract';
import type { Authentication, Unauthorized } from '../deliveries/authentication.ts';
import {
  type NotFoundReason,
  PROBLEM_TYPE,
  type ProblemCode,
  type ProblemMembers,
  buildProblem,
} from './problem.ts';

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

/** Why a delivery, a cancel or a look at a state has no effect. */
export type Refusal =
  | Exclude<Authentication, { kind: 'genuine' }>
  | { readonly kind: 'not_json' | 'id_reused' }
  | { readonly kind: 'not_found'; readonly reason?: NotFoundReason }
  | { readonly kind: 'invalid_field'; readonly field: string; readonly problem: string }
  | { readonly kind: 'rate_limited' | 'backlog_full' | 'unavailable'; readonly retryAfterMs: number };

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
      return refuseUnauthorized(reply, refusal.why);
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

/** Answers 401 with what a stranger may know, which is the same for a library that we know and for one that we do not. */
function refuseUnauthorized(reply: FastifyReply, why: Unauthorized): FastifyReply {
  return refuse(reply, 'unauthorized', { reason: why.reason, detail: detailOf(why) });
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
