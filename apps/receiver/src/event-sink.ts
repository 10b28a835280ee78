import type { JobData } from '@passport/contract';
import { type Gate, type GateAnswer, type GateQuestion, type ScanJobs, addScans } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';

export type SinkAnswer = GateAnswer | { readonly kind: 'unavailable' };

/** Where accepted events go. It never rejects: what Redis cannot do now is `unavailable`. */
export interface EventSink {
  /** Asks the gate about a delivery that will not be queued. */
  ask(question: GateQuestion): Promise<SinkAnswer>;
  /** Asks the gate, and adds the job where the gate says so. Resolves after Redis has it. */
  take(question: GateQuestion, jobOf: (eventId: string, nowMs: number) => JobData): Promise<SinkAnswer>;
}

interface Waiting {
  readonly question: GateQuestion;
  readonly jobOf: ((eventId: string, nowMs: number) => JobData) | null;
  readonly resolve: (answer: SinkAnswer) => void;
}

/** Events of one turn of the event loop share two round trips; more than this would make the first one wait. */
const MOST_AT_ONCE = 32;

/**
 * The sink over a real Redis. `redis` must be a producer connection (no offline queue), and the same one that `queue`
 * uses, since `WAIT` counts the writes of its own connection.
 */
export function buildEventSink(deps: {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly gate: Gate;
  /** A 202 waits for this many replicas (`REDIS_MIN_REPLICAS`). */
  readonly minReplicas: number;
  readonly deadlineMs: number;
  readonly log: Logger;
}): EventSink {
  let waiting: Waiting[] = [];

  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) void carry(deps, batch);
  };
  const enter = (question: GateQuestion, jobOf: Waiting['jobOf']): Promise<SinkAnswer> =>
    new Promise((resolve) => {
      waiting.push({ question, jobOf, resolve });
      if (waiting.length === 1) setImmediate(flush);
      else if (waiting.length >= MOST_AT_ONCE) flush();
    });

  return { ask: (question) => enter(question, null), take: enter };
}

/** Gate for all, one bulk add, replicas if asked; then everybody has an answer. */
async function carry(deps: Parameters<typeof buildEventSink>[0], batch: readonly Waiting[]): Promise<void> {
  const { redis, deadlineMs, log } = deps;
  // A connection that was never up would keep BullMQ waiting: we listen all the same, and say 503 until it is.
  if (redis.status !== 'ready') {
    for (const { resolve } of batch) resolve({ kind: 'unavailable' });
    return;
  }
  try {
    const answers = await within(deadlineMs, throughGate(deps, batch), 'taking events');
    batch.forEach(({ resolve }, index) => resolve(answers[index] ?? { kind: 'unavailable' }));
  } catch (error) {
    const failure = translateRedisError(error);
    log.warn({ redis: failure.kind, problem: failure.message, events: batch.length }, 'events not taken');
    for (const { resolve } of batch) resolve({ kind: 'unavailable' });
  }
}

async function throughGate(
  { redis, queue, gate, minReplicas, deadlineMs }: Parameters<typeof buildEventSink>[0],
  batch: readonly Waiting[],
): Promise<SinkAnswer[]> {
  const answers: SinkAnswer[] = await Promise.all(batch.map(({ question }) => gate(question)));
  const adds = answers.flatMap((answer, index) => {
    const jobOf = batch[index]?.jobOf;
    if (!('add' in answer) || !answer.add || !jobOf) return [];
    return [{ index, job: jobOf(answer.eventId, answer.nowMs), priority: answer.priority }];
  });
  const written = answers.some((answer) => 'add' in answer);
  if (adds.length > 0) await addScans(queue, adds);
  if (written && minReplicas > 0 && (await redis.wait(minReplicas, deadlineMs)) < minReplicas) {
    return answers.map((answer) => ('add' in answer ? { kind: 'unavailable' } : answer));
  }
  return answers;
}
