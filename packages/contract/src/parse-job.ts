import * as z from 'zod';
import { NEWEST_VERSION, type JobData, jobSchema, queuedProgress } from './job.ts';
import { progressSchema } from './outcome.ts';

export type ParsedJob =
  | { readonly kind: 'job'; readonly job: JobData }
  /**
   * Written by a newer version of the service; `job` is what this one understands of it, enough to say how it stands and
   * to give it back ({@link rewriteJob}), never to work on it.
   */
  | { readonly kind: 'newer'; readonly job: JobData }
  | { readonly kind: 'unreadable'; readonly fields: readonly string[] };

const LONG_AGO = '1970-01-01T00:00:00.000Z';
const unstarted = queuedProgress(LONG_AGO);
const { v: _version, event_id, library, progress: _progress, ...others } = jobSchema.shape;

/**
 * What every version of a job keeps: its event and its lending library, with these names. All else is taken where it
 * still is what it is now, and is neutral where it is not.
 */
const newerSchema = z.object({
  v: z.int().positive(),
  event_id,
  library,
  ...orNeutral(others, {
    branch: '',
    interface: 'api',
    operator: null,
    scanned_at: LONG_AGO,
    received_ms: 0,
    age_at_delivery_ms: 0,
    encrypted_card: null,
    encrypted_item: null,
    checkout_requested: false,
    card_hash: '',
    traceparent: undefined,
    retried: null,
    sent: null,
    sent_before: undefined,
    made: null,
    attempts: undefined,
    question: undefined,
    consent: undefined,
    decides: undefined,
    asks: undefined,
    decided: undefined,
  }),
  progress: z
    .object(orNeutral(progressSchema.shape, { ...unstarted, state: 'waiting', observed: undefined }))
    .catch(unstarted),
});

/** These fields, each with what it is taken for where it does not fit; the compiler wants a value for every one. */
function orNeutral<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
  neutral: { readonly [Field in keyof Shape]: z.output<Shape[Field]> },
): { [Field in keyof Shape]: z.ZodCatch<Shape[Field]> } {
  const fields = Object.entries(shape).map(([field, schema]) => [field, schema.catch(neutral[field])]);
  return Object.fromEntries(fields) as ReturnType<typeof orNeutral<Shape>>;
}

/**
 * Reads a job's payload. `newer`: its version is higher, or all that does not fit are words and keys that this version
 * does not know, which a later one may have added. An unreadable one names the fields, never their values.
 */
export function parseJob(stored: unknown): ParsedJob {
  const data = wholeJob(stored);
  const parsed = jobSchema.safeParse(data);
  if (parsed.success) return { kind: 'job', job: parsed.data };
  const lenient = newerSchema.safeParse(data);
  if (lenient.success && isNewer(lenient.data.v, data, parsed.error.issues)) {
    return { kind: 'newer', job: { ...lenient.data, v: 1 } };
  }
  return {
    kind: 'unreadable',
    fields: parsed.error.issues.map((issue) => issue.path.join('.') || '(whole)'),
  };
}

/** What is queued of a job that nobody has worked on (version 2): nothing that {@link parseJob} fills in again. */
export function queuedJob(job: JobData): object {
  const { retried, sent, made, progress, ...known } = job;
  const isUntouched = retried === null && sent === null && made === null;
  const unworked = queuedProgress(new Date(job.received_ms).toISOString());
  if (!isUntouched || JSON.stringify(progress) !== JSON.stringify(unworked)) return job;
  return { ...known, v: 2, progress: {} };
}

/** A job of version 2 with what it leaves out, as one of version 1; any other as it is. */
function wholeJob(data: unknown): unknown {
  if (!isObject(data) || data['v'] !== 2) return data;
  const received = new Date(typeof data['received_ms'] === 'number' ? data['received_ms'] : Number.NaN);
  const progress = isObject(data['progress']) ? data['progress'] : {};
  const since = Number.isNaN(received.getTime()) ? LONG_AGO : received.toISOString();
  const unworked = { retried: null, sent: null, made: null };
  return { ...unworked, ...data, v: 1, progress: { ...queuedProgress(since), ...progress } };
}

type Issue = z.core.$ZodIssue;

function isNewer(version: number, data: unknown, issues: readonly Issue[]): boolean {
  return version > NEWEST_VERSION || issues.every((issue) => isUnknownCode(issue, data));
}

/** A code that is not in a list of ours; a code that is missing is no new one. */
function isUnknownCode({ code, path }: Issue, data: unknown): boolean {
  if (code === 'unrecognized_keys') return true;
  return code === 'invalid_value' && typeof valueAt(data, path) === 'string';
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), data);
}

const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === 'object' && value !== null;

/**
 * The payload `data` with what is different in `job`, which was made from what {@link parseJob} read of it: a job of this
 * version becomes `job`, and a newer one keeps all that this version does not understand.
 */
export function rewriteJob(data: unknown, job: JobData): object {
  const parsed = parseJob(data);
  if (parsed.kind !== 'newer' || !isObject(data)) return job;
  const progress = isObject(data['progress']) ? data['progress'] : {};
  return {
    ...data,
    ...changesOf(parsed.job, job),
    progress: { ...progress, ...changesOf(parsed.job.progress, job.progress) },
  };
}

function changesOf(before: object, after: object): object {
  const old = new Map(Object.entries(before));
  return Object.fromEntries(
    Object.entries(after).filter(([key, value]) => JSON.stringify(old.get(key)) !== JSON.stringify(value)),
  );
}
