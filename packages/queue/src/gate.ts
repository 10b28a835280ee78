import type { Redis } from '@passport/runtime';
import { GATE_LUA } from './gate-script.ts';
import { backlogKey, guardKey, guardKeyPrefix, jobKeyPrefix, joinKey, rateKey } from './keys.ts';
import { defineScript } from './script.ts';

/** How long a `webhook-id` is remembered. Standard Webhooks senders give up well before. */
export const GUARD_LIFE_SECONDS = 80 * 3600;
/** Scans of one card and item within this time are one scan. */
export const JOIN_LIFE_MS = 10_000;

/** What the receiver asks the gate about one delivery. */
export interface GateQuestion {
  /** `rate`: only takes from the rate. `look`: also refuses a reused id. `take`: an event to queue. */
  readonly mode: 'rate' | 'look' | 'take';
  readonly library: string;
  readonly eventId: string;
  /** Keyed hashes of the body, one per known key, the present key's first. */
  readonly bodyHashes: readonly string[];
  /** Keyed hash of card and item; read by `take` only. */
  readonly scanHash: string;
  readonly limits: { readonly eventsPerSecond: number; readonly burst: number; readonly backlog: number };
}

export type GateAnswer =
  | { readonly kind: 'pass' }
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number }
  | { readonly kind: 'reused' }
  | { readonly kind: 'backlog_full' }
  | {
      readonly kind: 'new' | 'duplicate' | 'joined';
      /** The event to follow: on a join the first one's id. */
      readonly eventId: string;
      /** Whether the caller must add the job of `eventId`: it is new, or was lost between the gate and the queue. */
      readonly add: boolean;
      /** BullMQ priority: the library's unfinished events, this one included. */
      readonly priority: number;
      /** Redis's clock, milliseconds. */
      readonly nowMs: number;
    };

export type Gate = (question: GateQuestion) => Promise<GateAnswer>;

/** BullMQ's largest priority. */
const LOWEST_PRIORITY = 2_097_152;

/** The gate as one script on this connection. It rejects with what Redis said; nothing is queued by it. */
export function buildGate(redis: Redis): Gate {
  const run = defineScript(redis, 'passportGate', GATE_LUA);
  return async ({ mode, library, eventId, bodyHashes, scanHash, limits }) => {
    const answer = await run(
      [guardKey(library, eventId), joinKey(library, scanHash), rateKey(library), backlogKey(library)],
      [
        mode,
        eventId,
        bodyHashes.join(','),
        Math.round(1e6 / limits.eventsPerSecond),
        limits.burst,
        limits.backlog,
        GUARD_LIFE_SECONDS,
        JOIN_LIFE_MS,
        jobKeyPrefix,
        guardKeyPrefix(library),
        `${library}.`,
      ],
    );
    return readAnswer(answer as readonly (string | number)[]);
  };
}

function readAnswer([verdict, ...rest]: readonly (string | number)[]): GateAnswer {
  switch (verdict) {
    case 'pass':
      return { kind: 'pass' };
    case 'rate':
      return { kind: 'rate_limited', retryAfterMs: Math.ceil(Number(rest[0]) / 1000) };
    case 'reuse':
      return { kind: 'reused' };
    case 'backlog':
      return { kind: 'backlog_full' };
    case 'new':
    case 'duplicate':
    case 'joined': {
      const [eventId, add, priority, nowMs] = rest;
      return {
        kind: verdict,
        eventId: String(eventId),
        add: add === 1,
        priority: Math.min(Number(priority), LOWEST_PRIORITY),
        nowMs: Number(nowMs),
      };
    }
    default:
      throw new Error('the gate gave an answer that is not one of its own');
  }
}
