import { quoteOf } from '@passport/koha-client';
import { attempt } from './koha-failure.ts';

export type ProbeQuery = 'card lookup' | 'read by id' | 'lookup by home key' | 'item lookup' | 'availability';

/** One look-up of a probe: what came of it, without anything of the patron. */
export interface ProbeStep {
  readonly query: ProbeQuery;
  readonly result: string;
  readonly ms: number;
  /** The HTTP status; null where there was no answer, or nothing was sent. */
  readonly status: number | null;
  /** Koha's words, where it did not answer as it should. */
  readonly said: string | null;
  readonly failed: boolean;
}

/** Sends one look-up and times it; `value` is null when it failed. */
export async function takeStep<T>(
  query: ProbeQuery,
  send: () => Promise<T>,
  resultOf: (value: T) => string,
): Promise<{ readonly step: ProbeStep; readonly value: T | null }> {
  const startedAt = performance.now();
  const tried = await attempt(send());
  const ms = Math.round(performance.now() - startedAt);
  if ('error' in tried) {
    const { error } = tried;
    const about = error.permission ?? error.field;
    const result = about === null ? error.code : `${error.code} ${about}`;
    return {
      value: null,
      step: { query, result, ms, status: error.status, said: quoteOf(error), failed: true },
    };
  }
  const { value } = tried;
  return { value, step: { query, result: resultOf(value), ms, status: 200, said: null, failed: false } };
}

/** A look-up that is not sent, and why. */
export const leftOut = (query: ProbeQuery, why: string): ProbeStep => ({
  query,
  result: `skipped: ${why}`,
  ms: 0,
  status: null,
  said: null,
  failed: false,
});
