import type { Redis } from '@passport/runtime';
import { ADMISSION_LUA } from './admission-script.ts';
import {
  backlogKey,
  cancelledAheadKey,
  coalescingKey,
  idempotencyKey,
  rateKey,
  rememberedKey,
} from '../keys.ts';
import { defineScript } from '../redis/index.ts';

/** One delivery at the receiver that must be admitted. */
export interface AdmissionRequest {
  /** `rate`: only counts against the rate limit. `look`: also refuses a reused id. `take`: an event to queue. */
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
    readonly remembered: number;
  };
}

export type AdmissionAnswer =
  | { readonly kind: 'pass' }
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number }
  | { readonly kind: 'reused' }
  | { readonly kind: 'backlog_full' }
  /** One of its keys has a value that this version did not write. Nothing was queued. */
  | { readonly kind: 'broken' }
  | {
      readonly kind: 'new' | 'duplicate' | 'coalesced';
      /** The event to follow: of a coalesced scan the first one's id. */
      readonly eventId: string;
      /** Whether the caller must add the job of `eventId`: it is new, or was lost between admission and the queue. */
      readonly add: boolean;
      /** BullMQ priority: the library's unfinished events, this one included. */
      readonly priority: number;
      /** Redis's clock, milliseconds. */
      readonly nowMs: number;
      /** It was cancelled before it came: what is added has ended. */
      readonly isCancelled?: true;
    };

/** Admits deliveries in their order; the answers come in the same order. */
export type AdmitEvents = (requests: readonly AdmissionRequest[]) => Promise<AdmissionAnswer[]>;

/** BullMQ's largest priority. */
const LOWEST_PRIORITY = 2_097_152;

/** Admission as one script on this connection. It rejects with Redis's error; it queues nothing. */
export function buildAdmission(redis: Redis): AdmitEvents {
  const run = defineScript(redis, 'passportAdmission', ADMISSION_LUA);
  return async (requests) => {
    const answers = await run(requests.flatMap(keysOf), requests.flatMap(argumentsOf));
    return (answers as (string | number)[][]).map(readAnswer);
  };
}

const keysOf = ({ library, eventId, scanHash }: AdmissionRequest): string[] => [
  idempotencyKey(library, eventId),
  coalescingKey(library, scanHash),
  rateKey(library),
  backlogKey(library),
  rememberedKey(library),
  cancelledAheadKey(library),
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
  limits.remembered,
];

function readAnswer([kind, ...values]: readonly (string | number)[]): AdmissionAnswer {
  switch (kind) {
    case 'pass':
      return { kind: 'pass' };
    case 'rate':
      return { kind: 'rate_limited', retryAfterMs: Math.ceil(Number(values[0]) / 1000) };
    case 'reuse':
      return { kind: 'reused' };
    case 'backlog':
      return { kind: 'backlog_full' };
    case 'broken':
      return { kind: 'broken' };
    case 'new':
    case 'duplicate':
    case 'coalesced': {
      const [eventId, add, priority, nowMs, isCancelled] = values;
      return {
        kind,
        eventId: String(eventId),
        add: add === 1,
        priority: Math.min(Number(priority), LOWEST_PRIORITY),
        nowMs: Number(nowMs),
        ...(isCancelled === 1 ? { isCancelled: true } : {}),
      };
    }
    default:
      throw new Error('the admission script gave an unknown answer');
  }
}
