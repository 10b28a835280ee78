import type { JobData } from '@passport/contract';
import type { Ending } from '../provision/ending.ts';
import type { HeldLock } from './job-lock.ts';
import type { PutBackReason } from './put-back.ts';

/** A job as BullMQ hands it over, without BullMQ. */
export interface JobInHand {
  readonly data: unknown;
  /** When it was queued, in milliseconds of the queue's clock. */
  readonly addedMs: number;
  /** How often it was started; 1 is the first time. */
  readonly starts: number;
  /** How often its worker died. */
  readonly stalls: number;
  /** How often it ended in a bug of ours. */
  readonly bugs: number;
  readonly lock: HeldLock;
  /** Replaces the job's data. Throws LockLost. */
  save(job: JobData): Promise<void>;
}

/** What is to be done with the job now. */
export type RunDecision =
  | {
      readonly kind: 'end';
      readonly job: JobData;
      /** What is written for `job`: more than that where a newer version wrote it. */
      readonly data: object;
      readonly ending: Ending;
    }
  /** It had ended before: only what comes after the end is done again. */
  | { readonly kind: 'ended_before'; readonly job: JobData }
  | {
      readonly kind: 'park';
      readonly job: JobData;
      /** As for an end. */
      readonly data: object;
      readonly untilMs: number;
      /** The libraries whose circuit it waits for; each of them wakes it when it is back. */
      readonly forCircuitsOf: readonly string[];
      /** Whether the desk should hear of it. */
      readonly worthTelling: boolean;
      /** Set when another worker shall have it. */
      readonly putBack: PutBackReason | null;
    }
  | { readonly kind: 'hand_back' }
  | { readonly kind: 'unreadable'; readonly fields: readonly string[] };
