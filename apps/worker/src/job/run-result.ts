import type { JobData } from '@passport/contract';
import type { CreateClaim } from '@passport/queue';
import type { Done, PausedSide, Retry } from '../provision/result.ts';
import type { Claimed, JobLock } from '../provision/scan.ts';
import type { RequeueReason } from '../metrics/job-metrics.ts';

/** A job as BullMQ delivers it, without BullMQ. */
export interface TakenJob {
  readonly data: unknown;
  /** When it was queued, in milliseconds of the queue's clock. */
  readonly addedMs: number;
  /** How often it was started; 1 is the first time. */
  readonly starts: number;
  /** How often its worker died. */
  readonly stalls: number;
  /** How often it ended in a bug of ours. */
  readonly bugs: number;
  readonly lock: JobLock;
  /** Whether its library had cancelled the event when the job was taken. */
  readonly isCancelled: boolean;
  /** Takes the claim and replaces the job's data, both or neither. Throws LockLost or ScanCancelled. */
  save(job: JobData, claim: CreateClaim): Promise<Claimed>;
  /** Replaces the job's data unless the event is cancelled. Throws LockLost or ScanCancelled. */
  saveWanted(job: JobData): Promise<void>;
}

/** The job's data with what it came to. */
interface JobChange {
  readonly job: JobData;
  /** What is written for `job`: more than that where a newer version wrote it. */
  readonly data: object;
  /** What it comes to where the event was cancelled before this could be written; null: this stands. */
  readonly ifCancelled: (() => Ended) | null;
}

/** A result of the workflow with the time at which the job is tried again. */
export interface Delayed extends Retry, JobChange {
  readonly untilMs: number;
  /** The libraries whose circuit it waits for; each of them promotes it when it is back. */
  readonly forCircuitsOf: readonly string[];
  /** The pauses whose end it waits for; each of them promotes it when it is over. */
  readonly forPausesOf: readonly PausedSide[];
  /** Whether the desk should hear of it. */
  readonly worthReporting: boolean;
  /** Set when another worker shall have it. */
  readonly requeueReason: RequeueReason | null;
}

export type Ended = Done & JobChange;

/** What one run of a job came to, for the queue. */
export type RunResult =
  | Ended
  | Delayed
  /** It had ended before: only what comes after the end is done again. */
  | { readonly kind: 'done_before'; readonly job: JobData }
  /** The run was cut off, as by a reload: the job is requeued as it is, in so many milliseconds. */
  | { readonly kind: 'requeue'; readonly delayMs: number }
  | { readonly kind: 'unreadable'; readonly fields: readonly string[] };
