import { z } from 'zod';
import type { Answer } from './transport.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The JSON of an answer, or undefined when it is none (HTML, truncated, empty, not UTF-8). */
export function parseJsonBody(answer: Answer): unknown {
  try {
    const json: unknown = JSON.parse(decoder.decode(answer.body));
    return json;
  } catch {
    return undefined;
  }
}

/** Koha's error bodies, folded into one shape. All texts are Koha's; they may quote what was sent, so never pass them on. */
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

const misfitSchema = z.object({ path: z.string().catch(''), message: z.string().catch('') });
const misfitsSchema = z.array(misfitSchema);
const applicationSchema = z.object({
  error: z.string().catch(''),
  error_code: z.string().nullable().catch(null),
  conflict: z.string().nullable().catch(null),
  errors: misfitsSchema.catch([]),
  required_permissions: z.unknown().optional(),
});

/**
 * Reads any of the five shapes an error body of Koha can have: validator's list under `errors`, a bare list, a bare string,
 * an application error, or nothing that can be read. Null means that this body is none of Koha's.
 */
export function parseRefusal(answer: Answer): KohaRefusal | null {
  const json = parseJsonBody(answer);
  const empty = { error: '', errorCode: null, conflict: null, misfits: [], requiredPermissions: null };
  if (typeof json === 'string') return { ...empty, error: json };
  if (Array.isArray(json)) {
    const list = misfitsSchema.safeParse(json);
    return list.success ? { ...empty, misfits: list.data } : null;
  }
  const body = applicationSchema.safeParse(json);
  if (!body.success) return null;
  return {
    error: body.data.error,
    errorCode: body.data.error_code,
    conflict: body.data.conflict,
    misfits: body.data.errors,
    requiredPermissions: body.data.required_permissions ?? null,
  };
}
