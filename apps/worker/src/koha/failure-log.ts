import { type KohaError, isEndedByUs } from '@passport/koha-client';
import type { Logger } from '@passport/runtime';

/** What is known of a failure, without text from outside. */
type Failure = Pick<KohaError, 'code' | 'causeCode'>;

const AGAIN_MS = 60_000;

/** Builds what logs why libraries fail: once when it begins or changes, and again each minute while it lasts. */
export function buildFailureLog(monotonicNow: () => number, log: Logger) {
  const last = new Map<string, { readonly failure: Failure; readonly loggedAt: number }>();
  const fieldsOf = ({ code, causeCode }: Failure): object => ({ code, cause_code: causeCode });
  return {
    failed(library: string, failure: Failure): void {
      if (isEndedByUs(failure)) return;
      const before = last.get(library);
      const isKnown = before?.failure.code === failure.code && before.failure.causeCode === failure.causeCode;
      if (isKnown && monotonicNow() - before.loggedAt < AGAIN_MS) return;
      last.set(library, { failure, loggedAt: monotonicNow() });
      log.warn({ library, ...fieldsOf(failure) }, 'library fails');
    },
    answered(library: string): void {
      const before = last.get(library);
      // Of one that comes and goes a line a minute is enough, too.
      if (before !== undefined && monotonicNow() - before.loggedAt >= AGAIN_MS) last.delete(library);
    },
    circuitChanged(library: string, isOpen: boolean): void {
      const failure = last.get(library)?.failure;
      const why = isOpen && failure !== undefined ? fieldsOf(failure) : {};
      const circuit = isOpen ? 'open' : 'closed';
      log.warn({ library, circuit, ...why }, isOpen ? 'library lost' : 'library is back');
    },
  };
}

/** A short name of the failure, for the dashboard: `unreachable: certificate_expired`. */
export function nameOfFailure({ code, causeCode }: Failure): string {
  return causeCode === null || causeCode === code ? code : `${code}: ${causeCode}`;
}
