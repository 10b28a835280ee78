import { parseRefusal } from './answer-body.ts';
import type { KohaRefusal } from './answer-body.ts';
import { effectOf } from './effect-of.ts';
import { KohaError } from './koha-error.ts';
import type { KohaErrorCode, KohaFailure } from './koha-error.ts';
import { withQuote } from './quote-answer.ts';
import { renderPermission } from './render-permission.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { Answer } from './transport.ts';

/**
 * The failure an answer stands for once the operation itself has no better reading of its status. Koha's refusals at the
 * door (401, 403, 4xx of the validator, 429, its own 503) come before any work is done, so they leave no effect. A 4xx whose
 * body is none of Koha's (cut off, or a page of something in front of it) says nothing that can be relied on.
 */
export function failureOf(library: string, answer: Answer, nowMs: number): KohaError {
  const { status, operation } = answer;
  const refusal = parseRefusal(answer);
  if (refusal === null && isForeign(status)) return badAnswer(library, answer);
  const effect = leavesNoEffect(status, refusal) ? 'none' : effectOf(operation);
  const saidByKoha = refusal?.errorCode === 'internal_server_error';
  const retryAfterMs = parseRetryAfter(firstValue(answer.headers['retry-after']), nowMs);
  const base: KohaFailure = {
    code: codeOf(status),
    library,
    operation,
    effect,
    status,
    retryAfterMs,
    saidByKoha,
  };
  return withQuote(new KohaError(status === 403 ? { ...base, ...forbidden(refusal) } : base), answer);
}

/**
 * The failure of an answer whose status promises a body that is not there or does not fit. `saidByKoha`: it is Koha's own, and only
 * one record in it is strange.
 */
export function badAnswer(library: string, answer: Answer, saidByKoha = false): KohaError {
  const { operation, status } = answer;
  const error = new KohaError({
    code: 'bad_answer',
    library,
    operation,
    status,
    effect: effectOf(operation),
    saidByKoha,
  });
  return withQuote(error, answer);
}

/** The first value of a header that may have been sent more than once. */
export function firstValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function codeOf(status: number): KohaErrorCode {
  if (status >= 200 && status < 300) return 'bad_answer';
  if (status >= 300 && status < 400) return 'redirect';
  if (status === 401) return 'credentials';
  if (status === 403) return 'permission';
  if (status === 429) return 'rate_limited';
  if (status === 503) return 'maintenance';
  return status >= 500 ? 'http_5xx' : 'unexpected_status';
}

/** A 4xx that Koha gives only with words of its own; 401, 408, 425 and 429 mean the same from whoever says them. */
function isForeign(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
}

/** A 503 without Koha's own words comes from something in front of it, which cannot know how far Koha got. */
function leavesNoEffect(status: number, refusal: KohaRefusal | null): boolean {
  if (status === 503) return refusal !== null && refusal.error !== '';
  return status >= 300 && status < 500;
}

function forbidden(refusal: KohaRefusal | null): Partial<KohaFailure> {
  const branch = /^Unauthorized attempt to set library to (.*)$/.exec(refusal?.error ?? '')?.[1];
  if (branch !== undefined) return { branch };
  if (/^(Invalid password|Password has expired)/.test(refusal?.error ?? '')) return { code: 'credentials' };
  return { permission: renderPermission(refusal?.requiredPermissions) };
}
