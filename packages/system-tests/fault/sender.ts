import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { buildScanEvent, signedRequest } from '@passport/testkit';

/** An answer other than 202: `status` 0 when there was none. */
export interface Refusal {
  readonly status: number;
  /** Seconds; null where the answer did not say. */
  readonly retryAfterS: number | null;
}

/** An event that was acknowledged in the end. */
export interface Sent {
  /** The id to follow. */
  readonly eventId: string;
  readonly card: string;
  readonly refusals: readonly Refusal[];
  /** Monotonic time of its first delivery and of the acknowledgement, in milliseconds. */
  readonly sentAt: number;
  readonly acceptedAt: number;
}

/** A library's sender: gives an event up for nothing but an answer that no retry can change, at which it rejects. */
export type Sender = (data: {
  readonly cardnumber: string;
  readonly item_barcode: string | null;
}) => Promise<Sent>;

/** How soon it tries again where nobody answered: a proxy would take the next receiver. */
const NO_ANSWER_PAUSE_MS = 100;
/** It obeys `retry-after`, which grows each time, up to so many times that. */
const MOST_PATIENCE = 4;

/** A sender as a Koha has one: it signs each delivery anew under one id and goes to the receivers alternately. */
export function createSender(at: {
  receiverUrls: readonly string[];
  library: string;
  secret: string;
  /** Hears of each refusal when it comes. */
  onRefusal?: (refusal: Refusal) => void;
  /** Once it is aborted, what was not acknowledged is given up. */
  signal?: AbortSignal;
}): Sender {
  let next = 0;
  const deliver = async (id: string, event: string): Promise<{ answer: Response | null; body: string }> => {
    const { headers, body, method } = signedRequest({ secret: at.secret, id, body: event });
    const url = at.receiverUrls[next++ % at.receiverUrls.length] ?? '';
    try {
      const answer = await fetch(`${url}/webhooks/${at.library}`, { method, headers, body });
      return { answer, body: await answer.text() };
    } catch {
      return { answer: null, body: '' };
    }
  };
  return async (data) => {
    const id = `evt_${randomUUID()}`;
    const event = JSON.stringify(buildScanEvent(data));
    const refusals: Refusal[] = [];
    const sentAt = performance.now();
    for (;;) {
      at.signal?.throwIfAborted();
      const { answer, body } = await deliver(id, event);
      if (answer?.status === 202) {
        const { event_id: eventId } = JSON.parse(body) as { event_id: string };
        return { eventId, card: data.cardnumber, refusals, sentAt, acceptedAt: performance.now() };
      }
      const status = answer?.status ?? 0;
      if (status !== 0 && status !== 429 && status !== 503) throw new Error(`answered ${status}: ${body}`);
      const actual = answer?.headers.get('retry-after') ?? null;
      const refusal = { status, retryAfterS: actual === null ? null : Number(actual) };
      refusals.push(refusal);
      at.onRefusal?.(refusal);
      const patience = Math.min(refusals.length, MOST_PATIENCE);
      await pause(actual === null ? NO_ANSWER_PAUSE_MS : Number(actual) * 1_000 * patience);
    }
  };
}

/** Sends events at a steady pace until it is stopped, whatever becomes of those before. */
export interface SteadyLoad {
  /** Events sent so far, and those of them that were acknowledged. */
  readonly sent: number;
  readonly accepted: number;
  /** Sends no more; resolves when every event was acknowledged. */
  stop(): Promise<readonly Sent[]>;
}

export function startLoad(perSecond: number, send: () => Promise<Sent>): SteadyLoad {
  const under: Promise<Sent>[] = [];
  let accepted = 0;
  const timer = setInterval(() => {
    const one = send();
    one.then(
      () => (accepted += 1),
      () => undefined, // reported by stop
    );
    under.push(one);
  }, 1_000 / perSecond);
  return {
    get sent() {
      return under.length;
    },
    get accepted() {
      return accepted;
    },
    stop() {
      clearInterval(timer);
      return Promise.all(under);
    },
  };
}
