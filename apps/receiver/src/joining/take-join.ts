import { type Invitations, type JoinTaken, takeJoinRequest } from '@passport/queue/joining';
import { buildSample } from '@passport/runtime';
import { callRedis, type RedisInTime } from '../deliveries/call-redis.ts';

/** When to try again where Redis does not answer. */
const RETRY_MS = 5_000;
/** A stranger can make so many lines a minute and no more. */
const REFUSALS_LOGGED = { most: 10, windowMs: 60_000 };

/** What became of a request to join at this receiver. */
export type JoinAnswer = JoinTaken | { readonly kind: 'unavailable'; readonly retryAfterMs: number };

/** Takes requests to join. One line for each new one, which is audited; of what is refused, a sample. */
export function takeJoin(
  invitations: Invitations,
  {
    nowSeconds,
    monotonicNow,
    ...inTime
  }: RedisInTime & { readonly nowSeconds: () => number; readonly monotonicNow: () => number },
): (body: Buffer) => Promise<JoinAnswer> {
  const sample = buildSample({ ...REFUSALS_LOGGED, monotonicNow });
  const { log } = inTime;
  return async (body) => {
    const taking = { doing: 'taking a request to join', failed: 'a request to join could not be taken' };
    const taken = await callRedis(inTime, taking, () =>
      takeJoinRequest(invitations, body.toString('utf8'), nowSeconds()),
    );
    if (taken === 'unavailable') return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    if (taken.kind === 'taken') {
      const { library, isNew } = taken;
      if (isNew) log.info({ audit: true, action: 'join_request', library }, 'a library asks to join');
      return taken;
    }
    const leftOut = sample(taken.kind);
    if (leftOut !== null) {
      const field = taken.kind === 'invalid_field' ? { field: taken.field } : {};
      log.info(
        { result: taken.kind, ...field, ...(leftOut > 0 ? { left_out: leftOut } : {}) },
        'join refused',
      );
    }
    return taken;
  };
}
