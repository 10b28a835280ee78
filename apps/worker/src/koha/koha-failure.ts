import { KohaError, isEndedByUs } from '@passport/koha-client';
import { LibraryClosed } from './library-closed.ts';

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
