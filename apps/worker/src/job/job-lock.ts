import type { JobData } from '@passport/contract';

/** Knows of each running job until when this process surely holds its lock. */
export interface LockWatch {
  /** A job was taken: its lock counts from `sentAt` (monotonic, ms), when the command that took it was sent. */
  taken(token: string, sentAt: number): JobLock;
  /** The lock was renewed by a command sent at `sentAt`. */
  renewed(token: string, sentAt: number): void;
  forget(token: string): void;
}

/** One job's lock, as the job's own story sees it. */
export interface JobLock {
  /** Aborted before anybody else may start the job. */
  readonly signal: AbortSignal;
  /** Throws LockLost; asked before every write, since a blocked event loop fires no timer. */
  assertHeld(): void;
}

/** What a story may do with its job while it runs. */
export interface JobHold extends JobLock {
  /** Writes into the job that a copy is about to be sent. Throws LockLost. */
  noteSent(sent: NonNullable<JobData['sent']>): Promise<void>;
  /** Takes back what this run has noted: nothing left the house after all. */
  nothingLeft(): void;
}

/** A twin may start once the lock has run out in Redis; ours ends this much before. */
const MARGIN_MS = 1_000;

interface Entry {
  readonly controller: AbortController;
  timer: NodeJS.Timeout | undefined;
  endsAt: number;
}

/**
 * BullMQ says late or never that a lock was lost (after a blocked event loop its event comes when the twin has started;
 * cut off from Redis it never comes). So each lock is trusted from the *sending* of its last successful renewal, for its
 * duration less a margin. Keyed by token: after a stall, a twin in this very process has the same job id.
 */
export function buildLockWatch(lockDurationMs: number, monotonicNow: () => number): LockWatch {
  const locks = new Map<string, Entry>();
  const hold = (entry: Entry, sentAt: number): void => {
    clearTimeout(entry.timer);
    entry.endsAt = sentAt + lockDurationMs - MARGIN_MS;
    const leftMs = Math.max(0, entry.endsAt - monotonicNow());
    entry.timer = setTimeout(() => entry.controller.abort(new LockLost()), leftMs);
  };
  return {
    taken(token, sentAt) {
      const entry: Entry = { controller: new AbortController(), timer: undefined, endsAt: 0 };
      locks.set(token, entry);
      hold(entry, sentAt);
      return {
        signal: entry.controller.signal,
        assertHeld() {
          if (entry.controller.signal.aborted || monotonicNow() >= entry.endsAt) throw new LockLost();
        },
      };
    },
    renewed(token, sentAt) {
      const entry = locks.get(token);
      if (entry !== undefined && !entry.controller.signal.aborted) hold(entry, sentAt);
    },
    forget(token) {
      clearTimeout(locks.get(token)?.timer);
      locks.delete(token);
    },
  };
}

/** This process may no longer act for the job. */
export class LockLost extends Error {
  override readonly name = 'LockLost';
  constructor() {
    super('the lock of the job is lost');
  }
}
