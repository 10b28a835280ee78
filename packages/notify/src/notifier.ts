import type { Consortium, NotifiedEndpoint } from '@passport/config';
import { type Notice, notifiedField, openNotices } from '@passport/queue/notices';
import type { Logger, MetricsRegistry, Redis } from '@passport/runtime';
import { decide } from './decide.ts';
import { type Look, wantsOf } from './look.ts';
import { messageOf } from './message.ts';
import { notifyMetrics } from './notify-metrics.ts';
import { type SendDeps, buildSender, forgetFormerAddresses } from './send-due.ts';
import type { Observation } from './observation.ts';

/** What notifies operators, as a part of a process. Each of its two tasks may be done by any number of processes. */
export interface Notifier {
  /** Looks for news, where no other process has just done so, and queues the messages. */
  watch(look: Look): Promise<void>;
  /** Delivers what is due. */
  send(): Promise<void>;
}

/** News are looked for at this pace, by one process. */
export const WATCH_EVERY_MS = 5_000;
/** Less than the pace, or every second look would come too early. */
const WATCHED_MS = WATCH_EVERY_MS - 500;

export interface NotifierDeps extends Omit<SendDeps, 'endpoints' | 'notices' | 'metrics'> {
  readonly consortium: Pick<Consortium, 'name' | 'public' | 'libraries' | 'notify'>;
  readonly redis: Redis;
  readonly metrics: MetricsRegistry;
  readonly newId: () => string;
  readonly log: Logger;
}

/** Builds the notifier of a configuration; null where nobody wants to be notified. */
export function buildNotifier(deps: NotifierDeps): Notifier | null {
  const { consortium, redis, now, newId } = deps;
  const { notify: endpoints } = consortium;
  const metrics = notifyMetrics(
    deps.metrics,
    endpoints.map(({ name }) => name),
  );
  if (endpoints.length === 0) return null;
  const notices = openNotices(redis);
  const noticesOf = (observation: Observation, nowMs: number): readonly Notice[] => {
    const { topic, library, type } = observation;
    if (type === null) return [];
    const message = messageOf({ ...observation, type }, consortium, nowMs);
    const id = `notice_${newId()}`;
    const wanted = endpoints.filter((endpoint: NotifiedEndpoint) => wantsOf(endpoint, topic, library));
    return wanted.map(({ name }) => ({ id, endpoint: name, message, queued_ms: nowMs, failures: 0 }));
  };
  return {
    async watch(look) {
      if (!(await notices.startWatch(WATCHED_MS))) return;
      await forgetFormerAddresses({ endpoints, notices });
      const nowMs = now();
      // First, so that what is seen is never older than what it is compared with.
      const notified = await notices.readNotified();
      for (const observation of await look(nowMs)) {
        const field = notifiedField(observation.topic, observation.library);
        const before = notified.get(field) ?? null;
        const decision = decide(before?.record ?? null, observation, nowMs);
        if (decision === null) continue;
        const { after, notifies } = decision;
        const queued = notifies ? noticesOf(observation, nowMs) : [];
        await notices.notify({ field, before, after, notices: queued, nowMs });
      }
    },
    send: buildSender({ ...deps, endpoints, notices, metrics }),
  };
}
