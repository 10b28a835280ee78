import { type ReplicaCheck, type ScanJobs, answerConsent } from '@passport/queue';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';
import type { KeepConsent } from './take-consent.ts';

/** Keeps answers in the queue; what Redis does not answer in time is `unavailable`, and may have been kept: it may be repeated. */
export function buildKeepConsent(deps: {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  /** Null: the answer waits for no replica. */
  readonly replicated: ReplicaCheck | null;
  readonly deadlineMs: number;
  readonly log: Logger;
}): KeepConsent {
  const { redis, queue, replicated, deadlineMs, log } = deps;
  const keep: KeepConsent = async (library, id, answer) => {
    const kept = await answerConsent(redis, queue, { library, eventId: id }, answer);
    if (kept.kind !== 'recorded' || replicated === null) return kept;
    return (await replicated([{ library, eventId: kept.eventId }])) ? kept : 'unavailable';
  };
  return async (library, eventId, answer) => {
    if (redis.status !== 'ready') return 'unavailable';
    try {
      return await within(deadlineMs, keep(library, eventId, answer), "keeping a patron's answer");
    } catch (error) {
      const failure = translateRedisError(error);
      if (failure.kind === 'bug') log.error({ error }, 'an answer was not kept');
      else log.warn({ redis: failure.kind, problem: failure.message }, 'an answer was not kept');
      return 'unavailable';
    }
  };
}
