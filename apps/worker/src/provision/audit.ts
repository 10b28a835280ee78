import type { Located } from '@passport/patron-rules';
import type { StoredConsent } from '@passport/queue/scans';
import type { Logger } from '@passport/runtime';
import { type CheckoutOutcome, type CopyOutcome, codeOf } from './result.ts';
import type { Scan } from './scan.ts';

export type Audit = ReturnType<typeof buildAudit>;

/** Whose data go to the lending library, and which. */
interface Disclosure {
  readonly homeKey: string;
  readonly fields: readonly string[];
}

/**
 * Builds what writes into the log who requested what of whom, with the result, one line each with `audit: true`: ids, codes, names of fields, a
 * keyed hash of the card. `operator` is the lending Koha's number of who scanned, by which a home library can find out from that library who
 * it was.
 */
export function buildAudit(log: Logger) {
  const line = (scan: Scan, action: string, more: Record<string, unknown>): void => {
    const { eventId: event, lending, operator, cardHash: card_hash } = scan;
    const test = scan.interface === 'test' ? { test: true } : {};
    log.info({ audit: true, action, event, lending, operator, card_hash, ...test, ...more }, action);
  };
  return {
    lookedUp: (scan: Scan, queried: readonly string[], located: Located): void =>
      line(scan, 'looked up', {
        queried,
        found: foundAt(located),
        ...('silent' in located
          ? {
              silent: located.silent.map(({ library }) => library),
              refused: located.refused.map(({ library }) => library),
            }
          : {}),
      }),
    refusedBy: (scan: Scan, { library, problem }: Extract<Located, { kind: 'refused' }>): void =>
      line(scan, 'refused', { home: library, ...problem }),
    notShared: (scan: Scan, home: string, because: string): void =>
      line(scan, 'not shared', { home, because }),
    notEligible: (scan: Scan, home: string, reasons: readonly string[]): void =>
      line(scan, 'not eligible', { home, reasons }),
    /** What the patron said when the desk requested consent, and who did. */
    consent: (
      scan: Scan,
      home_key: string,
      { answer, text_id, operator: requested_by }: StoredConsent,
    ): void => line(scan, 'consent', { home_key, answer, text_id, requested_by }),
    /**
     * What staff have decided, and who: the home of the card, or that a refusal is overridden, and why. `by` is the lending library, for
     * the record of acts; the number is its Koha's.
     */
    decided: (
      scan: Scan,
      { question, home_key, reasons, option, operator }: Scan['decided'][number],
    ): void =>
      question === 'HOME_CHOICE'
        ? line(scan, 'choose home', { by: scan.lending, home: option, decided_by: operator })
        : line(scan, 'override', {
            by: scan.lending,
            home_key,
            reasons,
            because: option,
            decided_by: operator,
          }),
    /** Written before anything leaves, whatever happens to this process then. */
    sending: (scan: Scan, { homeKey, fields }: Disclosure): void => {
      line(scan, 'sending a copy', { home_key: homeKey, fields });
      log.flush();
    },
    copied: (scan: Scan, { homeKey, fields }: Disclosure, result: CopyOutcome): void =>
      line(scan, 'copy', {
        home_key: homeKey,
        result: codeOf(result),
        ...factsOf(result, fields),
      }),
    checkedOut: (scan: Scan, patronId: number, { result, keys }: CheckoutOutcome): void =>
      line(scan, 'checkout', { patron_id: patronId, result, keys }),
  };
}

function foundAt(located: Located): readonly string[] {
  if (located.kind === 'found') return [located.candidate.home.id];
  if (located.kind === 'gone') return [located.home];
  return located.kind === 'ambiguous' ? located.homes : [];
}

/** `own`: it is the service's copy. Somebody whom the lending library knows by itself is ALREADY_LOCAL, too. */
function factsOf(result: CopyOutcome, fields: readonly string[]): object {
  if (result.kind === 'done') return result.patronId === undefined ? {} : { patron_id: result.patronId };
  const { outcome, reasons, patron_id } = result.made;
  return {
    own: true,
    ...(reasons.includes('REKEYED') ? { rekeyed: true } : {}),
    patron_id,
    ...(outcome === 'COPIED' ? { fields } : {}),
  };
}
