import * as z from 'zod';
import { MAX_DEPTH } from '../transport/answer-limits.ts';
import type { CauseCode } from './cause-code.ts';
import { isDeeperThan } from '../transport/json-depth.ts';
import type { Answer } from '../transport/transport.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The JSON of an answer, or undefined when it is none (HTML, truncated, empty, not UTF-8) or nested beyond reason. */
export function parseJsonBody(answer: Answer): unknown {
  if (isDeeperThan(answer.body, MAX_DEPTH)) return undefined;
  try {
    const json: unknown = JSON.parse(decoder.decode(answer.body));
    return json;
  } catch {
    return undefined;
  }
}

/** Why a body could not be used, for a body that could not. */
export function causeOfBody(answer: Answer): CauseCode {
  if (isDeeperThan(answer.body, MAX_DEPTH)) return 'too_deep';
  return parseJsonBody(answer) === undefined ? 'not_json' : 'not_koha';
}

/**
 * Koha's error bodies, folded into one shape. All texts are Koha's, cut short; they may quote what was sent, or say whatever a
 * stranger likes, so they are compared with what is known and never passed on.
 */
export interface KohaRefusal {
  /** The application's sentence, '' when the body has none. */
  readonly error: string;
  readonly errorCode: string | null;
  /** The name of the database's unique index, only with a card or login that is taken. */
  readonly conflict: string | null;
  /** Complaints of the request validator: where, and what it says. Not empty only when the request did not fit. */
  readonly misfits: readonly { path: string; message: string }[];
  readonly requiredPermissions: unknown;
}

/** Longer than any sentence of Koha's; what it quotes (an attribute's value) comes at its end. */
const MAX_SENTENCE = 2_000;
const MAX_MISFITS = 20;

const short = z.string().transform((text) => text.slice(0, MAX_SENTENCE));
const firstOf = <T>(misfit: z.ZodType<T>) =>
  z.preprocess((list) => (Array.isArray(list) ? list.slice(0, MAX_MISFITS) : list), z.array(misfit));
const firstMisfits = firstOf(z.object({ path: short, message: short.catch('') }));
const withMisfits = z.object({ errors: firstMisfits });
/** Of a status that no route describes the validator says no path. */
const withUndescribed = z.object({
  errors: firstOf(
    z
      .object({ message: short.refine((text) => text.startsWith('No response rule for ')) })
      .transform(({ message }) => ({ path: '', message })),
  ),
});
const withError = z.object({
  // The number 1 stands where Koha's query plugin meant a sentence (`invalid_query`).
  error: z.union([short, z.number().transform(String)]),
  error_code: short.nullable().catch(null),
  conflict: short.nullable().catch(null),
  required_permissions: z.unknown().optional(),
});

/**
 * Reads any of the five shapes an error body of Koha can have: validator's list under `errors`, a bare list, a bare string,
 * an application error, or nothing that can be read. Null means that this body is none of Koha's: a page of a proxy, a portal or
 * another program, which passes by itself.
 */
export function parseRefusal(answer: Answer): KohaRefusal | null {
  const json = parseJsonBody(answer);
  const empty = { error: '', errorCode: null, conflict: null, misfits: [], requiredPermissions: null };
  if (typeof json === 'string') return json === '' ? null : { ...empty, error: json.slice(0, MAX_SENTENCE) };
  if (Array.isArray(json)) {
    const list = firstMisfits.safeParse(json);
    return list.success && list.data.length > 0 ? { ...empty, misfits: list.data } : null;
  }
  const complaint = withError.safeParse(json);
  if (complaint.success) {
    const { error, error_code: errorCode, conflict, required_permissions: required } = complaint.data;
    return { ...empty, error, errorCode, conflict, requiredPermissions: required ?? null };
  }
  const misfit = (answer.status === 501 ? withUndescribed : withMisfits).safeParse(json);
  return misfit.success ? { ...empty, misfits: misfit.data.errors } : null;
}
