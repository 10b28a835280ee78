import type { Consortium } from '@passport/config';
import type { Logger } from '@passport/runtime';
import { type DeliverDeps, deliver } from './deliver.ts';
import { wantsOf } from './look.ts';
import { messageOf } from './message.ts';
import type { Observation } from './observation.ts';

/** As other faults of the service (decide.ts): a Redis that restarts is no news. */
const STEADY_MS = 15_000;
/** An endpoint that did not take the message is tried again so often. */
const AGAIN_MS = 30_000;

const observationOf = (
  isAnswering: boolean,
): Observation & { readonly type: 'service.fault' | 'service.fixed' } => ({
  topic: 'service_fault',
  library: null,
  state: isAnswering ? 'well' : 'redis_unreachable',
  isWell: isAnswering,
  type: isAnswering ? 'service.fixed' : 'service.fault',
  text: isAnswering
    ? 'Redis answers again.'
    : 'Redis does not answer: no scan is accepted, and none is processed. What to do: start Redis, or correct REDIS_URL.',
  section: 'passportredisdown',
  facts: {},
});

/**
 * Builds what tells operators that Redis does not answer a process, and that it does again. Without Redis nothing can be queued: the
 * message is sent by this process itself, with an id that two processes which notice within a minute share. Call it every few seconds with
 * whether Redis has just answered.
 */
export function buildOutageNotifier(
  deps: DeliverDeps & {
    readonly consortium: Pick<Consortium, 'name' | 'public' | 'libraries' | 'notify'>;
    readonly log: Logger;
  },
): (isAnswering: boolean) => Promise<void> {
  const { consortium, now, log } = deps;
  const endpoints = consortium.notify.filter((endpoint) => wantsOf(endpoint, 'service_fault', null));
  const told = new Set<string>();
  let sinceMs: number | null = null;
  let triedMs: number | null = null;

  const tell = async (isAnswering: boolean, names: ReadonlySet<string>, minute: number): Promise<void> => {
    const message = messageOf(observationOf(isAnswering), consortium, now());
    const id = `notice_redis_${isAnswering ? 'back' : 'down'}_${minute}`;
    const chosen = endpoints.filter(({ name }) => names.has(name));
    await Promise.all(
      chosen.map(async (endpoint) => {
        const { kind, status, code } = await deliver(endpoint, { id, message }, deps);
        if (kind !== 'failed') told.add(endpoint.name);
        log.warn(
          { endpoint: endpoint.name, what: message.type, status, code },
          'told of Redis without Redis',
        );
      }),
    );
  };
  return async (isAnswering) => {
    if (isAnswering) {
      const heard = new Set(told);
      const minute = Math.floor((sinceMs ?? 0) / 60_000);
      [sinceMs, triedMs] = [null, null];
      told.clear();
      if (heard.size > 0) await tell(true, heard, minute);
      told.clear();
      return;
    }
    sinceMs ??= now();
    const isDue = triedMs === null ? now() - sinceMs >= STEADY_MS : now() - triedMs >= AGAIN_MS;
    const missing = endpoints.map(({ name }) => name).filter((name) => !told.has(name));
    if (!isDue || missing.length === 0) return;
    triedMs = now();
    await tell(false, new Set(missing), Math.floor(sinceMs / 60_000));
  };
}
