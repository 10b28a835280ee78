import type { Redis } from '@passport/runtime';
import { ADMISSION_LUA } from './admission-script.ts';
import { backlogKey, idempotencyKey, coalescingKey, rateKey, rememberedKey } from './keys.ts';
import { defineScript } from './script.ts';

/** What the receiver asks the gate about one delivery. */
export interface AdmissionRequest {
  /** `rate`: only takes from the rate. `look`: also refuses a reused id. `take`: an event to queue. */
  readonly mode: 'rate' | 'look' | 'take';
  readonly library: string;
  readonly eventId: string;
  /** Keyed hashes of the body, one per known key, the present key's first. */
  readonly bodyHashes: readonly string[];
  /** Keyed hash of card and item; read by `take` only. */
  readonly scanHash: string;
  readonly limits: {
    readonly eventsPerSecond: number;
    readonly burst: number;
    readonly backlog: number;
    /** Most ids that are remembered of the library. */
    readonly remembered?: number;
  };
}

export type AdmissionAnswer =
  | { readonly kind: 'pass' }
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number }
  | { readonly kind: 'reused' }
  | { readonly kind: 'backlog_full' }
  /** One of its keys holds what was not written by this version, if by us at all. Nothing was queued. */
  | { readonly kind: 'broken' }
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

/** Asks about deliveries in their order; the answers come in the same one. */
export type AdmitEvents = (questions: readonly AdmissionRequest[]) => Promise<AdmissionAnswer[]>;

/** Where the question does not say. */
const MOST_REMEMBERED = 100_000;

/** BullMQ's largest priority. */
const LOWEST_PRIORITY = 2_097_152;

/** The gate as one script on this connection. It rejects with what Redis said; nothing is queued by it. */
export function buildAdmission(redis: Redis): AdmitEvents {
  const run = defineScript(redis, 'passportGate', ADMISSION_LUA);
  return async (questions) => {
    const answers = await run(questions.flatMap(keysOf), questions.flatMap(argumentsOf));
    return (answers as (string | number)[][]).map(readAnswer);
  };
}

const keysOf = ({ library, eventId, scanHash }: AdmissionRequest): string[] => [
  idempotencyKey(library, eventId),
  coalescingKey(library, scanHash),
  rateKey(library),
  backlogKey(library),
  rememberedKey(library),
];

const argumentsOf = ({
  mode,
  library,
  eventId,
  bodyHashes,
  limits,
}: AdmissionRequest): (string | number)[] => [
  mode,
  library,
  eventId,
  bodyHashes.join(','),
  Math.round(1e6 / limits.eventsPerSecond),
  limits.burst,
  limits.backlog,
  limits.remembered ?? MOST_REMEMBERED,
];

function readAnswer([verdict, ...rest]: readonly (string | number)[]): AdmissionAnswer {
  switch (verdict) {
    case 'pass':
      return { kind: 'pass' };
    case 'rate':
      return { kind: 'rate_limited', retryAfterMs: Math.ceil(Number(rest[0]) / 1000) };
    case 'reuse':
      return { kind: 'reused' };
    case 'backlog':
      return { kind: 'backlog_full' };
    case 'broken':
      return { kind: 'broken' };
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
