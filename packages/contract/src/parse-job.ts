import * as z from 'zod';
import { type JobData, jobSchema, queuedProgress } from './job.ts';
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
const { shape } = jobSchema;
const { shape: steps } = progressSchema;

/**
 * What every version of a job keeps: its event and its lending library, with these names. All else is taken where it
 * still is what it is now, and is neutral where it is not.
 */
const newerSchema = z.object({
  v: z.int().positive(),
  event_id: shape.event_id,
  library: shape.library,
  branch: shape.branch.catch(''),
  interface: shape.interface.catch('api'),
  operator: shape.operator.catch(null),
  scanned_at: shape.scanned_at.catch(LONG_AGO),
  received_ms: shape.received_ms.catch(0),
  age_at_delivery_ms: shape.age_at_delivery_ms.catch(0),
  sealed_card: shape.sealed_card.catch(null),
  sealed_item: shape.sealed_item.catch(null),
  item_asked: shape.item_asked.catch(false),
  card_hash: shape.card_hash.catch(''),
  traceparent: shape.traceparent.catch(undefined),
  retried: shape.retried.catch(null),
  sent: shape.sent.catch(null),
  sent_before: shape.sent_before.catch(undefined),
  made: shape.made.catch(null),
  question: shape.question.catch(undefined),
  consent: shape.consent.catch(undefined),
  progress: z
    .object({
      seq: steps.seq.catch(unstarted.seq),
      state: steps.state.catch('waiting'),
      outcome: steps.outcome.catch(null),
      reasons: steps.reasons.catch([]),
      homes: steps.homes.catch([]),
      patron_id: steps.patron_id.catch(null),
      checkout: steps.checkout.catch(null),
      waiting_for: steps.waiting_for.catch(null),
      problem: steps.problem.catch(null),
      observed: steps.observed.catch(undefined),
      attempt: steps.attempt.catch(0),
      updated_at: steps.updated_at.catch(LONG_AGO),
    })
    .catch(unstarted),
});

/**
 * Reads a job's payload. `newer`: its version is higher, or all that does not fit are words and keys that this version
 * does not know, which a later one may have added. An unreadable one names the fields, never their values.
 */
export function parseJob(data: unknown): ParsedJob {
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

type Issue = z.core.$ZodIssue;

function isNewer(version: number, data: unknown, issues: readonly Issue[]): boolean {
  return version > 1 || issues.every((issue) => isUnknownCode(issue, data));
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
