import type * as z from 'zod';
import { causeOfBody, parseJsonBody } from '../answers/json-body.ts';
import { type KohaOperation, effectOf } from '../answers/koha-operation.ts';
import type { Answer } from '../answers/read-answer.ts';
import type { CauseCode } from './cause-code.ts';
import { KohaError, type KohaErrorCode, type KohaFailure } from './koha-error.ts';
import { withQuote } from './quote-answer.ts';
import { fieldIn, isUnreadable, parseRefusal, type KohaRefusal } from './refusal.ts';
import { renderPermission } from './render-permission.ts';

/**
 * The failure an answer stands for once the operation itself has no better reading of its status. Koha's refusals at the
 * door (401, 403, 4xx of the validator, 429, its own 503) come before any work is done, so they leave no effect. A 4xx whose
 * body is none of Koha's shapes comes from something in front of it (a login page, a portal, a firewall, a server that starts): it
 * says nothing about credentials, permissions or routes, and is an outage that passes by itself, whatever its status.
 */
export function failureOf(library: string, answer: Answer, nowMs: number): KohaError {
  const { status, operation } = answer;
  const refusal = parseRefusal(answer);
  if (refusal === null && isForeign(status)) return badAnswer(library, answer);
  const effect = leavesNoEffect(answer, refusal) ? 'none' : effectOf(operation);
  const isOfRecord = refusal !== null && isUnreadable(status, refusal);
  const retryAfterMs = parseRetryAfter(firstValue(answer.headers['retry-after']), nowMs);
  const base: KohaFailure = {
    code: isOfRecord ? 'record_unreadable' : codeOf(status),
    library,
    operation,
    effect,
    status,
    retryAfterMs,
    field: isOfRecord ? fieldIn(refusal) : null,
    isFromKoha: refusal !== null && isKohasOwn(answer, refusal),
    causeCode: causeOfAnswer(status, refusal),
  };
  const failure = new KohaError(status === 403 ? { ...base, ...forbidden(answer, refusal) } : base);
  return withQuote(failure, answer);
}

/**
 * The failure of an answer whose status promises a body that is not there or does not fit. `isFromKoha`: it is Koha's own, and only
 * one record in it is strange.
 */
export function badAnswer(
  library: string,
  answer: Answer,
  known: Pick<KohaFailure, 'isFromKoha' | 'causeCode'> = {},
): KohaError {
  const { operation, status } = answer;
  const causeCode = known.causeCode ?? causeOfBody(answer);
  const effect = effectOf(operation);
  return withQuote(
    new KohaError({ code: 'bad_answer', library, operation, status, effect, ...known, causeCode }),
    answer,
  );
}

/** The JSON of an answer that should be this; throws `bad_answer` where it is not. */
export function bodyOf<T>(library: string, answer: Answer, schema: z.ZodType<T>): T {
  const body = schema.safeParse(parseJsonBody(answer));
  if (body.success) return body.data;
  throw badAnswer(library, answer);
}

/** The failure of a read whose rows are well-formed, and no rows of Koha's. */
export function badRows(
  library: string,
  operation: KohaOperation,
  known: Pick<KohaFailure, 'isFromKoha' | 'causeCode'> = {},
): KohaError {
  return new KohaError({ code: 'bad_answer', library, operation, status: 200, effect: 'none', ...known });
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

/** What Koha caught, and what it has no `try` for (`Koha/REST/V1/Checkouts.pm`, `get_availability`). */
function isKohasOwn({ operation, status }: Answer, { errorCode, misfits }: KohaRefusal): boolean {
  if (errorCode === 'internal_server_error') return true;
  const isUncaught = status === 500 && misfits[0]?.path === '/';
  return isUncaught && operation === 'GET /checkouts/availability';
}

/** A 4xx that Koha gives only with words of its own; 408, 425 and 429 mean the same from whoever says them. */
function isForeign(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

function causeOfAnswer(status: number, refusal: KohaRefusal | null): CauseCode | null {
  if (status >= 300 && status < 400) return 'redirect';
  if (refusal === null) return 'not_koha';
  return refusal.errorCode === 'plugin_disabled' ? 'plugin_disabled' : null;
}

/**
 * A 503 without Koha's own words comes from something in front of it, which cannot know how far Koha got. The sentence is the one
 * of `Koha::REST::V1::Auth::under` when the API user could not be found: nothing of the operation was begun.
 */
function leavesNoEffect({ status }: Answer, refusal: KohaRefusal | null): boolean {
  if (status === 503) return refusal !== null && refusal.error !== '';
  if (status === 500) return refusal?.error === 'Something went wrong, check the logs.';
  return status >= 300 && status < 500;
}

/** The branch is the one that was sent: Koha's sentence only says that it is the branch that it minds. */
function forbidden({ actingAs }: Answer, refusal: KohaRefusal | null): Partial<KohaFailure> {
  const error = refusal?.error ?? '';
  if (error.startsWith('Unauthorized attempt to set library to ')) return { branch: actingAs };
  if (/^(Invalid password|Password has expired)/.test(error)) return { code: 'credentials' };
  return { permission: renderPermission(refusal?.requiredPermissions) };
}

const LONGEST_MS = 24 * 60 * 60_000;

/**
 * Reads a `retry-after` header: whole seconds or an HTTP date (RFC 9110 section 10.2.3), as milliseconds from `nowMs`.
 * Null when there is none or it is no such thing; never below 0, never above a day.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.min(Math.max(at - nowMs, 0), LONGEST_MS);
}
