import { KohaError } from '@passport/koha-client';
import { LibraryClosed } from './library-closed.ts';

/** Whether a call to a library's Koha failed, or was not made since the library is not called. */
export const isKohaFailure = (error: unknown): error is KohaError | LibraryClosed =>
  error instanceof KohaError || error instanceof LibraryClosed;

/** Throws the error again, that of a library with its codes only: what a job throws is stored in the queue as text. */
export function rethrowInCodes(error: unknown): never {
  if (isKohaFailure(error)) throw new Error(`${error.library}: ${error.code}`);
  throw error;
}
