import { type JobData, cancelledJob } from '@passport/contract';
import type { AdmitEvents, AdmissionAnswer, AdmissionRequest } from '@passport/queue/admission';
import type { ReplicaCheck } from '@passport/queue/redis';
import { type ScanJobs, addScans } from '@passport/queue/scans';
import { DeadlineError, type Logger, type Redis, translateRedisError, within } from '@passport/runtime';

export type SinkAnswer = Exclude<AdmissionAnswer, { kind: 'broken' }> | { readonly kind: 'unavailable' };

/** Makes the job of an event that was received at `receivedMs`, by Redis's clock. */
export type JobOf = (eventId: string, receivedMs: number) => JobData;

/** Where accepted events go. It never rejects: what Redis cannot do now is `unavailable`. */
export interface EventSink {
  /** Checks a delivery that will not be queued. */
  check(question: AdmissionRequest): Promise<SinkAnswer>;
  /** Admits a delivery and adds its job where it is new. Resolves after Redis has it. */
  take(question: AdmissionRequest, jobOf: JobOf): Promise<SinkAnswer>;
}

export interface EventSinkDeps {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly admit: AdmitEvents;
  /** Null: a 202 waits for no replica. */
  readonly replicated: ReplicaCheck | null;
  readonly deadlineMs: number;
  /** Milliseconds that no step of the clock changes. */
  readonly monotonicNow: () => number;
  readonly log: Logger;
}

interface Waiting {
  readonly question: AdmissionRequest;
  readonly jobOf: JobOf | null;
  readonly since: number;
  readonly resolve: (answer: SinkAnswer) => void;
}

/** Events of one iteration of the event loop share two round trips; more than this would make the first one wait. */
const MOST_AT_ONCE = 32;
/**
 * Events that Redis has not answered yet, those included whose sender has got 503 meanwhile: commands to a Redis that
 * is frozen are kept until the connection is given up, and must not fill memory until then.
 */
const MOST_UNANSWERED = 4_000;

const UNAVAILABLE: SinkAnswer = { kind: 'unavailable' };

/**
 * The sink over a real Redis. `redis` must be a producer connection (no offline queue), and the same one that `queue`
 * and admission use, since `WAIT` counts the writes of its own connection.
 */
export function buildEventSink(deps: EventSinkDeps): EventSink {
  let waiting: Waiting[] = [];
  let unanswered = 0;

  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    unanswered += batch.length;
    void carry(deps, batch).finally(() => {
      unanswered -= batch.length;
    });
  };
  const enter = (question: AdmissionRequest, jobOf: JobOf | null): Promise<SinkAnswer> => {
    // A connection that was never up would keep BullMQ waiting: we listen all the same, and say 503 until it is.
    const { redis, monotonicNow } = deps;
    if (redis.status !== 'ready' || unanswered >= MOST_UNANSWERED) return Promise.resolve(UNAVAILABLE);
    return new Promise((resolve) => {
      waiting.push({ question, jobOf, since: monotonicNow(), resolve });
      if (waiting.length === 1) setImmediate(flush);
      else if (waiting.length >= MOST_AT_ONCE) flush();
    });
  };

  return { check: (question) => enter(question, null), take: enter };
}

/** Answers everybody within the deadline; resolves when Redis has answered or the connection was given up. */
async function carry(deps: EventSinkDeps, batch: readonly Waiting[]): Promise<void> {
  const { deadlineMs, log } = deps;
  const work = admitAll(deps, batch);
  try {
    const answers = await within(deadlineMs, work, 'taking events');
    batch.forEach(({ resolve }, index) => resolve(answers[index] ?? UNAVAILABLE));
  } catch (error) {
    for (const { resolve } of batch) resolve(UNAVAILABLE);
    const failure = translateRedisError(error);
    if (failure.kind === 'bug') log.error({ error, events: batch.length }, 'events not taken');
    else
      log.warn({ redis: failure.kind, problem: failure.message, events: batch.length }, 'events not taken');
  }
  await work.catch(() => undefined);
}

/** Admission of all, one bulk add, replicas if required. */
async function admitAll(deps: EventSinkDeps, batch: readonly Waiting[]): Promise<SinkAnswer[]> {
  const { queue, admit, replicated, deadlineMs, monotonicNow, log } = deps;
  const startedAt = monotonicNow();
  const requests = batch.map(({ question }) => question);
  const answers = (await admit(requests)).map((answer, index) => unbroken(answer, requests[index], log));
  // The senders have got 503 by now. Adding would run their scans after all, and with a time that is no longer true.
  if (monotonicNow() - startedAt >= deadlineMs) throw new DeadlineError('admission', deadlineMs);

  const adds = batch.flatMap(({ jobOf, since }, index) => {
    const answer = answers[index];
    if (answer === undefined || !('add' in answer) || !answer.add || jobOf === null) return [];
    const receivedMs = Math.floor(answer.nowMs - (monotonicNow() - since));
    const job = jobOf(answer.eventId, receivedMs);
    return [{ job: answer.isCancelled === true ? cancelledJob(job) : job, priority: answer.priority }];
  });
  if (adds.length > 0) await addScans(queue, adds);
  if (replicated === null) return answers;

  const events = batch.flatMap(({ question: { library } }, index) => {
    const answer = answers[index];
    return answer !== undefined && 'add' in answer ? [{ library, eventId: answer.eventId }] : [];
  });
  if (events.length === 0 || (await replicated(events))) return answers;
  return answers.map((answer) => ('add' in answer ? UNAVAILABLE : answer));
}

/** Where the keys of one event are broken, the other events are not affected. */
function unbroken(answer: AdmissionAnswer, request: AdmissionRequest | undefined, log: Logger): SinkAnswer {
  if (answer.kind !== 'broken') return answer;
  log.error(
    { event: request?.eventId, library: request?.library },
    'a key of this event holds what is not ours',
  );
  return UNAVAILABLE;
}
