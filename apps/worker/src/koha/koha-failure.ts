import { KohaError, isEndedByUs } from '@passport/koha-client';
import type { PauseSide } from '@passport/queue/processes';

/** Whether a call to a library's Koha failed, or was not made since the library is not called. */
export const isKohaFailure = (error: unknown): error is KohaError | LibraryClosed =>
  error instanceof KohaError || error instanceof LibraryClosed;

/** Whether nobody can have read what a call that failed was to send. */
export const wasNotSent = (error: unknown): boolean =>
  error instanceof LibraryClosed || (error instanceof KohaError && !error.wasSent);

/** Whether the same call cannot succeed before somebody has changed something, as after a refusal. */
export const isForGood = (error: unknown): boolean =>
  error instanceof KohaError && !error.retryable && !isEndedByUs(error);

/** What is said of an error in the queue: of one of a library its codes only. */
export const textOf = (error: unknown): string =>
  isKohaFailure(error)
    ? `${error.library}: ${error.code}`
    : error instanceof Error
      ? error.message
      : String(error);

/** Throws the error again, that of a library with its codes only: what a job throws is stored in the queue as text. */
export function rethrowInCodes(error: unknown): never {
  if (isKohaFailure(error)) throw new Error(textOf(error));
  throw error;
}

/** A library is not called: its circuit is open, or an operator has paused it. */
export class LibraryClosed extends Error {
  override readonly name: string = 'LibraryClosed';
  readonly code: 'circuit_open' | 'paused';
  readonly library: string;

  constructor(library: string, code: LibraryClosed['code'] = 'circuit_open') {
    super(`${library}: ${code === 'paused' ? 'paused' : 'circuit open'}`);
    this.library = library;
    this.code = code;
  }
}

/** A library is not called, because an operator has paused it on this side. */
export class LibraryPaused extends LibraryClosed {
  override readonly name = 'LibraryPaused';
  readonly side: PauseSide;
  /** The time until the end of the pause. */
  readonly retryAfterMs: number;

  constructor(library: string, side: PauseSide, retryAfterMs: number) {
    super(library, 'paused');
    this.side = side;
    this.retryAfterMs = retryAfterMs;
  }
}
