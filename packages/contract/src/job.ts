import * as z from 'zod';
import { attemptSchema } from './attempt.ts';
import { SCAN_INTERFACES } from './event.ts';
import {
  ELIGIBILITY_REASONS,
  type EventState,
  type Progress,
  QUESTIONS,
  REASONS,
  progressSchema,
} from './outcome.ts';
import { messageOf } from './message.ts';

/** The patron and the fields that left for the lending library. */
const sentSchema = z.object({
  home: z.string(),
  home_key: z.string(),
  /** Names of the fields that were sent. */
  fields: z.array(z.string()),
  /** False: they were only searched for, and nothing can be there. Left out, also by the version before: a copy may be. */
  create: z.boolean().optional(),
});

const questionSchema = z.object({
  home: z.string(),
  home_key: z.string(),
  text_id: z.string(),
  texts: z.record(z.string(), z.string()),
  put_ms: z.number(),
  until_ms: z.number(),
});

const consentSchema = z.object({
  text_id: z.string(),
  operator: z.int().nullable(),
  at: z.iso.datetime({ offset: true }),
});

const asksSchema = z.object({
  question: z.enum(QUESTIONS),
  /** Ids of libraries, or reasons for an override: nothing else can be decided. */
  options: z.array(z.string()),
  /** Of a refusal: whom it is about, and why. */
  home_key: z.string().nullable(),
  reasons: z.array(z.enum(ELIGIBILITY_REASONS)),
  put_ms: z.number(),
  until_ms: z.number(),
});

const decidedSchema = asksSchema.pick({ question: true, home_key: true, reasons: true }).extend({
  option: z.string(),
  operator: z.int(),
  at: z.iso.datetime({ offset: true }),
});

/** Versions up to this one are read. */
export const NEWEST_VERSION = 2;

/**
 * What a job carries through the queue (version 1; version 2 leaves out what is as at the beginning, queuedJob of parse-job.ts). A field that is
 * added has a default, since the version before does not write it; one that changes its meaning needs version 3, which workers of this version
 * requeue for a newer one (parse-job.ts, docs/decisions/0008-jobs-of-another-version.md). The card and the item travel encrypted; `card_hash` is a keyed hash,
 * with the id of its key. Times are milliseconds of the queue's clock unless they are text.
 */
export const jobSchema = z.object({
  v: z.literal(1),
  event_id: z.string(),
  library: z.string(),
  branch: z.string(),
  interface: z.enum(SCAN_INTERFACES),
  operator: z.int().nullable(),
  /** As the sender wrote it. */
  scanned_at: z.iso.datetime({ offset: true }),
  /** When the receiver took it. */
  received_ms: z.number(),
  /** How old the scan was then, by the sender's own clock. */
  age_at_delivery_ms: z.number().nonnegative(),
  /** Null once the job has ended, unless it failed. */
  encrypted_card: z.string().nullable(),
  /** Null when no item waits, when the job has ended, or when it is too late to check it out. */
  encrypted_item: z.string().nullable(),
  checkout_requested: z.boolean(),
  card_hash: z.string(),
  /** W3C trace context of the delivery, when traced. */
  traceparent: z.string().optional(),
  /** The last retry by a person: its time, and how often the job had been stalled by then. */
  retried: z.object({ at_ms: z.number(), stalled: z.int() }).nullable(),
  /**
   * Written before a copy is sent to the lending library: from then on that library may have it, whatever it answers.
   * Null: nothing was ever sent.
   */
  sent: sentSchema.nullable().default(null),
  /** What earlier runs sent of other patrons: the card had another home then. */
  sent_before: z.array(sentSchema).optional(),
  /** Set while only the checkout is left to do: the copy is there, and the home library is not needed again. */
  made: z
    .object({
      outcome: z.enum(['COPIED', 'ALREADY_LOCAL']),
      reasons: z.array(z.enum(REASONS)),
      home: z.string(),
      home_key: z.string(),
      patron_id: z.int(),
      /** Names of the fields that were disclosed; null when none were. */
      disclosed: z.array(z.string()).nullable(),
      /**
       * Written before a checkout is sent, and kept until Koha has said what came of it: the item may be out, and nobody may look before
       * this time, since the checkout may still be on its way.
       */
      look_from_ms: z.number().optional(),
    })
    .nullable()
    .default(null),
  /** The last attempts, oldest first; bounded. */
  attempts: z.array(attemptSchema).optional(),
  /** The question for the patron's consent: who was found, the library's text by language, since when and until when. */
  question: questionSchema.optional(),
  /** The patron has consented: to which text, who requested it (the lending Koha's number), and when. */
  consent: consentSchema.optional(),
  /** The questions that whoever reported the scan can have staff decide; none of a sender that does not say. */
  decides: z.array(z.enum(QUESTIONS)).optional(),
  /** The question for staff that it waits for, or waited for last. */
  asks: asksSchema.optional(),
  /** What staff have decided, one entry for each question. */
  decided: z.array(decidedSchema).optional(),
  progress: progressSchema,
});
export type JobData = z.infer<typeof jobSchema>;

/** Whether a copy may be there that this event has sent, whatever the lending library answered. */
export function copyMayBeThere({
  sent,
  sent_before: before = [],
}: Pick<JobData, 'sent' | 'sent_before'>): boolean {
  return [...before, sent].some((each) => each !== null && each.create !== false);
}

/** The context that an encrypted value is bound to: it can be decrypted for this event and this field only. */
export function encryptionContext(library: string, eventId: string, field: 'card' | 'item'): string {
  return `${library}.${eventId}.${field}`;
}

/** The first state of a job. */
export function queuedProgress(nowIso: string): Progress {
  return {
    seq: 1,
    state: 'queued',
    outcome: null,
    reasons: [],
    homes: [],
    patron_id: null,
    checkout: null,
    waiting_for: null,
    problem: null,
    attempt: 0,
    updated_at: nowIso,
  };
}

/** The job of an event that was cancelled before it came: it has ended, and never had a card. */
export function cancelledJob(job: JobData): JobData {
  const { progress, received_ms: receivedMs } = job;
  const ended = nextProgress(
    progress,
    { state: 'done', outcome: 'CANCELLED', checkout: { result: 'NOT_ASKED', keys: [] } },
    new Date(receivedMs).toISOString(),
  );
  return { ...job, encrypted_card: null, encrypted_item: null, progress: ended };
}

/** The state after `last`: its number is two higher, so that "working" has the number between them. */
export function nextProgress(
  last: Progress,
  change: Partial<Omit<Progress, 'seq' | 'updated_at'>>,
  nowIso: string,
): Progress {
  return { ...last, ...change, seq: last.seq + 2, updated_at: nowIso };
}

/**
 * The state of an event as senders see it (docs/integrating.md). `running` says that a worker has the job now; an ended job
 * never shows as running.
 */
export function eventStateOf(
  job: Pick<JobData, 'event_id' | 'library' | 'scanned_at' | 'progress' | 'question' | 'asks'>,
  running: boolean,
  nameOf: (libraryId: string) => string,
): EventState {
  const { progress } = job;
  const working = running && progress.state !== 'done' && progress.state !== 'failed';
  const state: EventState['state'] = working ? 'working' : progress.state;
  const shown = {
    ...progress,
    state,
    seq: working ? progress.seq + 1 : progress.seq,
    waiting_for: state === 'waiting' ? progress.waiting_for : null,
    attempt: working ? progress.attempt + 1 : progress.attempt,
  };
  const ids = [job.library, shown.waiting_for?.library, shown.problem?.library].filter(
    (id) => id !== undefined,
  );
  const names = new Map(shown.homes.map(({ id, name }) => [id, name]));
  for (const id of ids) if (!names.has(id)) names.set(id, nameOf(id));
  return {
    event_id: job.event_id,
    library: job.library,
    ...shown,
    libraries: [...names].map(([id, name]) => ({ id, name })),
    ...(shown.waiting_for?.reason === 'CONSENT' ? shownQuestion(job.question) : {}),
    ...(shown.waiting_for?.reason === job.asks?.question ? shownAsks(job.asks) : {}),
    message: messageOf(shown, job.library, nameOf),
    scanned_at: job.scanned_at,
  };
}

function shownQuestion(question: JobData['question']): Pick<EventState, 'consent'> {
  if (question === undefined) return {};
  const { text_id, texts, until_ms } = question;
  return { consent: { text_id, texts, answer_by: new Date(until_ms).toISOString() } };
}

function shownAsks(asks: JobData['asks']): Pick<EventState, 'asks'> {
  if (asks === undefined) return {};
  const { question, options, until_ms } = asks;
  return { asks: { question, options, answer_by: new Date(until_ms).toISOString() } };
}

/** The same event while no worker is there that could take it: nothing is searched, and nobody knows when it will be. */
export function stateWithoutWorker(state: EventState): EventState {
  if (state.state === 'done' || state.state === 'failed') return state;
  const waitingFor = { library: state.library, reason: 'NO_WORKER', next_try_at: null } as const;
  const names = new Map(state.libraries.map(({ id, name }) => [id, name]));
  const shown = { ...state, waiting_for: waitingFor };
  return { ...shown, message: messageOf(shown, state.library, (id) => names.get(id) ?? id) };
}
