import type { FastifyReply } from 'fastify';
import { PROBLEM_TYPE, type ProblemCode, buildProblem } from './problem.ts';

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
  more: { readonly detail?: string; readonly field?: string; readonly retryAfterMs?: number } = {},
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
