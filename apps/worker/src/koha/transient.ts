import { KohaError } from '@passport/koha-client';

/** The pauses before the second and the third time. */
const PAUSES_MS = [100, 200] as const;
/** A later error is of a Koha that is overloaded, or still works on the call. */
const AT_ONCE_MS = 500;
const GATEWAY_TIMEOUT = 504;

/**
 * Whether a call that failed after `ms` met what the next one may not meet: an error page that came at once, as of a proxy whose
 * Koha restarts a process. Koha's own error, and a library that says how long to wait, are not. Pure.
 */
export function isTransient(error: unknown, ms: number): boolean {
  if (!(error instanceof KohaError) || error.code !== 'http_5xx') return false;
  return (
    error.status !== GATEWAY_TIMEOUT && !error.isFromKoha && error.retryAfterMs === null && ms <= AT_ONCE_MS
  );
}

/** Makes a read, and once more where Koha cannot show one of the records: it was perhaps being corrected. It is no outage, so no more. */
export async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof KohaError) || error.code !== 'record_unreadable') throw error;
    return read();
  }
}

/**
 * Makes a call that may be made any number of times, and makes it again, at most twice, where an error of the moment came back.
 * Every call counts for the circuit: a library that is down gets no more of them, and an open circuit ends the repeats.
 */
export async function repeatAtOnce<T>(
  call: () => Promise<T>,
  {
    signal,
    pause,
    monotonicNow,
  }: {
    readonly signal: AbortSignal;
    readonly pause: (ms: number) => Promise<void>;
    readonly monotonicNow: () => number;
  },
): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    const sentAt = monotonicNow();
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !isTransient(error, monotonicNow() - sentAt)) throw error;
    }
    await pause(pauseMs);
  }
  return call();
}
