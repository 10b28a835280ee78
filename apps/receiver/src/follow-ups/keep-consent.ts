import { type ReplicaCheck, type ScanJobs, answerConsent } from '@passport/queue';
import { type RedisInTime, callRedis } from '../deliveries/call-redis.ts';
import type { KeepConsent } from './take-consent.ts';

/** Keeps answers in the queue; what Redis does not answer in time is `unavailable`, and may have been kept: it may be repeated. */
export function buildKeepConsent(
  deps: RedisInTime & {
    readonly queue: ScanJobs;
    /** Null: the answer waits for no replica. */
    readonly replicated: ReplicaCheck | null;
  },
): KeepConsent {
  const { redis, queue, replicated } = deps;
  const keep: KeepConsent = async (library, id, answer) => {
    const kept = await answerConsent(redis, queue, { library, eventId: id }, answer);
    if (kept.kind !== 'recorded' || replicated === null) return kept;
    return (await replicated([{ library, eventId: kept.eventId }])) ? kept : 'unavailable';
  };
  const task = { doing: "keeping a patron's answer", failed: 'an answer was not kept' };
  return async (library, eventId, answer) => callRedis(deps, task, () => keep(library, eventId, answer));
}
