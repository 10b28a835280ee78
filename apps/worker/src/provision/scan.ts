import {
  type AttemptCall,
  type JobData,
  type Question,
  copyMayBeThere,
  dayOfScan,
  encryptionContext,
} from '@passport/contract';
import type { ClaimResult, CreateClaim } from '@passport/queue/locks';
import type { Encryption } from '@passport/runtime';

/** A job, opened: what the workflow works with. It never leaves this process. */
export interface Scan {
  readonly lending: string;
  readonly eventId: string;
  readonly branch: string;
  readonly card: string;
  /** Koha's number of the member of staff who scanned; null where nobody was logged in. */
  readonly operator: number | null;
  readonly interface: JobData['interface'];
  /** Whether an item waits to be checked out. */
  readonly checkoutRequested: boolean;
  /** Null when no item waits, or when it is gone because it would be too late. */
  readonly item: string | null;
  /** `YYYY-MM-DD` where the card was scanned. */
  readonly day: string;
  /** Keyed hash of the card, for the audit. */
  readonly cardHash: string;
  /** From when `checkout_within` counts, in milliseconds of the queue's clock: the scan, or the patron's yes. */
  readonly wantedMs: number;
  /** From when `give_up_after` counts. */
  readonly startedMs: number;
  /** Whether an earlier run may have written something at the lending library. */
  readonly mayHaveWritten: boolean;
  /** Whether an earlier run was about to send a copy to the lending library. */
  readonly copyMayBeThere: boolean;
  /** What an earlier run was about to send to the lending library. */
  readonly sent: JobData['sent'];
  /** The question for the patron's consent that an earlier run has put. */
  readonly question: JobData['question'];
  /** Set once the patron has said yes. */
  readonly consent: JobData['consent'];
  /** The questions that staff can be asked; what they were asked last, and what they have decided. */
  readonly decides: readonly Question[];
  readonly asks: JobData['asks'];
  readonly decided: readonly NonNullable<JobData['decided']>[number][];
  /** The copy of an earlier run, when only the checkout is left. */
  readonly made: JobData['made'];
  readonly history: History;
}

/** One job's lock, as its workflow sees it. */
export interface JobLock {
  /** Aborted before anybody else may start the job. */
  readonly signal: AbortSignal;
  /** Throws LockLost; called before every write, since a blocked event loop fires no timer. */
  assertHeld(): void;
}

/** The outcome of a claim. */
export type Claimed = Exclude<ClaimResult, 'lost' | 'cancelled'>;

/** A copy by its home key and Koha's number of it. */
export type MadeNumber = Pick<NonNullable<JobData['made']>, 'home_key' | 'patron_id'>;

/** What a workflow may do with its job while it runs. */
export interface ScanLock extends JobLock {
  /**
   * Takes the claim and writes into the job that a copy is about to be sent, both or neither. Throws LockLost or
   * ScanCancelled.
   */
  noteSent(sent: NonNullable<JobData['sent']>, claim: CreateClaim): Promise<Claimed>;
  /** Writes into the job that the copy is there and a checkout is about to be sent. Throws LockLost or ScanCancelled. */
  noteMade(made: NonNullable<JobData['made']>): Promise<void>;
  /** Puts the copy that was made on record, before the next event of its patron gets the patron lock. */
  noteCopy(made: MadeNumber): Promise<void>;
  /** For a write that neither of the two stands for. Throws LockLost or ScanCancelled. */
  assertWanted(): Promise<void>;
  /** Notes that the patron has consented; it is written with the next note of what is sent, or with the result. */
  noteConsent(consent: NonNullable<JobData['consent']>): void;
  /** Notes what staff have decided; it is written as a consent is. */
  noteDecided(decided: Scan['decided']): void;
  /** Takes back what this run has noted: no more than these fields was sent after all. */
  narrowSent(fields: readonly string[]): void;
}

/** Its library has cancelled the event: nothing more is written for it. */
export class ScanCancelled extends Error {
  override readonly name = 'ScanCancelled';
  constructor() {
    super('the scan was cancelled');
  }
}

/** Nobody stands at these who could put a question to the patron, or decide one. */
const WITHOUT_STAFF: ReadonlySet<JobData['interface']> = new Set(['self_check', 'sip', 'test']);
export const isWithoutStaff = (scan: Pick<Scan, 'interface'>): boolean => WITHOUT_STAFF.has(scan.interface);

/** When somebody at the desk wanted the checkout last, by the queue's clock: at the scan, when the patron said yes, or when staff decided. */
export function wantedSinceMs({ received_ms, age_at_delivery_ms, consent, decided = [] }: JobData): number {
  const answered = [...(consent === undefined ? [] : [consent]), ...decided];
  return Math.max(received_ms - age_at_delivery_ms, ...answered.map(({ at }) => Date.parse(at)));
}

/**
 * From when `give_up_after` counts: the scan, the last retry by a person, or what the patron or staff were asked or decided last. `addedMs` is for a
 * job of a newer version that does not say when it was scanned.
 */
export function startedMs(job: JobData, addedMs = 0): number {
  const { retried, question, asks, decided = [], received_ms, age_at_delivery_ms } = job;
  const scannedMs = received_ms === 0 ? addedMs : received_ms - age_at_delivery_ms;
  const decidedMs = decided.map(({ at }) => Date.parse(at));
  return Math.max(retried?.at_ms ?? scannedMs, question?.put_ms ?? 0, asks?.put_ms ?? 0, ...decidedMs);
}

/** The same scan, of a patron who has consented. */
export function withConsent(scan: Scan, consent: NonNullable<JobData['consent']>): Scan {
  return { ...scan, consent, wantedMs: Math.max(scan.wantedMs, Date.parse(consent.at)) };
}

/** The same scan, of which staff have decided this. */
export function withDecision(scan: Scan, decided: Scan['decided'][number]): Scan {
  const wantedMs = Math.max(scan.wantedMs, Date.parse(decided.at));
  return { ...scan, decided: [...scan.decided, decided], wantedMs };
}

/** Opens a job. Throws DecryptionError when its card was encrypted with a key that is not here. */
export function openScan(
  job: JobData,
  encryption: Encryption,
  mayHaveWritten: boolean,
  history: History,
): Scan {
  const { library, event_id: eventId } = job;
  const decrypt = (encrypted: string | null, field: 'card' | 'item'): string | null =>
    encrypted === null ? null : encryption.decrypt(encrypted, encryptionContext(library, eventId, field));
  return {
    lending: library,
    eventId,
    branch: job.branch,
    card: decrypt(job.encrypted_card, 'card') ?? '',
    operator: job.operator,
    interface: job.interface,
    checkoutRequested: job.checkout_requested,
    item: decrypt(job.encrypted_item, 'item'),
    day: dayOfScan(job.scanned_at),
    cardHash: job.card_hash,
    wantedMs: wantedSinceMs(job),
    startedMs: startedMs(job),
    mayHaveWritten,
    copyMayBeThere: copyMayBeThere(job),
    sent: job.sent,
    question: job.question,
    consent: job.consent,
    decides: job.decides ?? [],
    asks: job.asks,
    decided: job.decided ?? [],
    made: job.made,
    history,
  };
}

export type History = ReturnType<typeof openHistory>;

interface Noted<T> {
  readonly library: string;
  readonly step: 'locate' | 'copy' | 'checkout';
  /** What came of it, as a code. */
  readonly text: (result: T) => string;
}

/** Opens what keeps what one run queries at libraries, for the history of its event. */
export function openHistory(monotonicNow: () => number) {
  const calls: AttemptCall[] = [];
  return {
    calls,
    /** Notes the result of `work`. Its entry is made at the start, so that work that is cut off has one, too. */
    async note<T>({ library, step, text }: Noted<T>, work: () => Promise<T>): Promise<T> {
      const call: AttemptCall = { library, step, answer: 'NO_ANSWER', ms: null };
      calls.push(call);
      const startedAt = monotonicNow();
      try {
        const result = await work();
        call.answer = text(result);
        return result;
      } finally {
        call.ms = Math.round(monotonicNow() - startedAt);
      }
    },
  };
}
