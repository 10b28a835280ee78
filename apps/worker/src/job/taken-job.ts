import type { JobData } from '@passport/contract';
import type { CreateClaim } from '@passport/queue/locks';
import type { Claimed, JobLock, MadeNumber, ScanLock } from '../provision/scan.ts';

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

/** The lock of one run, with what that has noted so far. */
export interface NotedLock extends ScanLock {
  readonly job: JobData;
  /** A copy or a checkout that this run was about to send: Koha may still be working on it. */
  readonly mayBeOnItsWay: boolean;
}

/** The lock of a run that begins with this job. */
export function openScanLock(
  before: JobData,
  { lock: { signal, assertHeld }, save, saveWanted }: Pick<TakenJob, 'lock' | 'save' | 'saveWanted'>,
  record: (job: JobData, made: MadeNumber) => Promise<void>,
): NotedLock {
  let job = before;
  let mayBeOnItsWay = false;
  return {
    get job() {
      return job;
    },
    get mayBeOnItsWay() {
      return mayBeOnItsWay;
    },
    signal,
    assertHeld: () => assertHeld(),
    async noteSent(sent, claim) {
      const next = withSent(job, sent);
      const claimed = await save(next, claim);
      if (claimed === 'taken') [job, mayBeOnItsWay] = [next, true];
      return claimed;
    },
    noteConsent(consent) {
      job = { ...job, consent };
    },
    noteDecided(decided) {
      job = { ...job, decided: [...decided] };
    },
    narrowSent(fields) {
      [job, mayBeOnItsWay] = [withLess(job, before, fields), false];
    },
    noteCopy: (made) => record(job, made),
    async noteMade(made) {
      const next = { ...job, made };
      await saveWanted(next);
      [job, mayBeOnItsWay] = [next, true];
    },
    assertWanted: () => saveWanted(job),
  };
}

/** The job with what it is about to send; what it sent of somebody else before is not forgotten. */
function withSent(job: JobData, sent: NonNullable<JobData['sent']>): JobData {
  const earlier = job.sent === null || job.sent.home_key === sent.home_key ? [] : [job.sent];
  return { ...job, sent, sent_before: [...(job.sent_before ?? []), ...earlier] };
}

/** The job of which only these fields were sent in this run, in a search; what it sent of the same patron before stays. */
function withLess(
  job: JobData,
  { sent, sent_before }: Pick<JobData, 'sent' | 'sent_before'>,
  fields: readonly string[],
): JobData {
  if (fields.length === 0 || job.sent === null) return { ...job, sent, sent_before };
  const earlier = sent?.home_key === job.sent.home_key ? sent : null;
  const only = { ...job.sent, fields: [...new Set([...(earlier?.fields ?? []), ...fields])] };
  const wasCreated = earlier !== null && earlier.create !== false;
  return { ...job, sent: wasCreated ? only : { ...only, create: false } };
}
