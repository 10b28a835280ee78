import { type Invitations, type JoinTaken, takeJoinRequest } from '@passport/queue/joining';
import { buildSample } from '@passport/runtime';
import { callRedis, type RedisInTime } from '../deliveries/call-redis.ts';

/** When to try again where Redis does not answer. */
const RETRY_MS = 5_000;
/** A stranger can make so many lines a minute and no more. */
const REFUSALS_LOGGED = { most: 10, windowMs: 60_000 };

/** Anybody can send a request that names an invitation, which is then looked for: so many are at once, so many each second, and no more. */
const LOOKED_FOR = { atOnce: 100, perSecond: 20 };

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
  const mayLook = buildBucket({ ...LOOKED_FOR, monotonicNow });
  const { log } = inTime;
  const warn = (line: object, text: string): void => {
    const leftOut = sample('unavailable');
    if (leftOut !== null) log.warn({ ...line, ...(leftOut > 0 ? { left_out: leftOut } : {}) }, text);
  };
  return async (body) => {
    if (!mayLook()) return { kind: 'unavailable', retryAfterMs: RETRY_MS };
    const taking = { doing: 'taking a request to join', failed: 'a request to join could not be taken' };
    const taken = await callRedis({ ...inTime, warn }, taking, () =>
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

/** Whether there is one left, of `atOnce`; `perSecond` come back. */
function buildBucket({
  atOnce,
  perSecond,
  monotonicNow,
}: typeof LOOKED_FOR & { readonly monotonicNow: () => number }): () => boolean {
  let left = atOnce;
  let atMs = monotonicNow();
  return () => {
    const nowMs = monotonicNow();
    left = Math.min(atOnce, left + ((nowMs - atMs) / 1000) * perSecond);
    atMs = nowMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}
