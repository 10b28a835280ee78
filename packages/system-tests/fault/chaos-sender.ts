import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom, Services } from '@passport/testkit';
import type { ChaosEvent } from './chaos-events.ts';

/** How the deliveries went, over all events. */
export interface SenderCounts {
  deliveries: number;
  acknowledged: number;
  duplicates: number;
  coalesced: number;
  /** 503 and 429, which a sender repeats. */
  putOff: number;
  /** No answer at all: the receiver was just killed. */
  unanswered: number;
}

/** Delivers as a library's Koha does: again and again until it is acknowledged. */
export interface Sender {
  readonly counts: SenderCounts;
  /** Begins to deliver; `settled` waits for all. */
  send(event: ChaosEvent): void;
  settled(): Promise<void>;
}

const RETRY_MS = 400;
const ANSWER_MS = 5_000;

/** Delivers events in the library's place; `onAcknowledged` hears of each that has an id to follow. */
export function createSender(
  services: Services,
  random: SeededRandom,
  onAcknowledged: (event: ChaosEvent) => void,
): Sender {
  const counts = { deliveries: 0, acknowledged: 0, duplicates: 0, coalesced: 0, putOff: 0, unanswered: 0 };
  const open = new Set<Promise<void>>();

  const deliverOnce = async (event: ChaosEvent): Promise<boolean> => {
    const receiver = random.pick(services.receivers);
    counts.deliveries += 1;
    const { method, headers, body } = event.request;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const url = `${receiver.url}/webhooks/${event.library}`;
    const answer = await fetch(url, { method, headers, body, signal }).catch(() => null);
    if (answer === null) {
      counts.unanswered += 1;
      return false;
    }
    const json = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (answer.status === 503 || answer.status === 429) {
      counts.putOff += 1;
      return false;
    }
    if (answer.status !== 202) throw new Error(`${event.id} was answered ${answer.status}`);
    counts.acknowledged += event.followId === null ? 1 : 0;
    counts.duplicates += json['duplicate'] === true ? 1 : 0;
    counts.coalesced += json['joined'] === true ? 1 : 0;
    event.followId = String(json['event_id']);
    onAcknowledged(event);
    return true;
  };

  const deliver = async (event: ChaosEvent): Promise<void> => {
    while (!(await deliverOnce(event))) await pause(RETRY_MS);
  };
  return {
    counts,
    send(event) {
      const delivery = deliver(event).finally(() => open.delete(delivery));
      open.add(delivery);
    },
    settled: async () => void (await Promise.all(open)),
  };
}
