import type { ProvisionContext } from './context.ts';
import { type Done, type Result, type Retry, done } from './result.ts';
import { type Scan, withConsent } from './scan.ts';

/** An event that may go on: its `scan` has the patron's yes where the question for it was put. */
type Resumed = { readonly kind: 'goes_on'; readonly scan: Scan } | Result;

type Question = NonNullable<Scan['question']>;

/**
 * What an event comes to that has put its question already, before anything is looked up again, unless the patron has said yes.
 * Whoever starts it earlier, such as a person who promotes it, finds it waiting as before. A question that was
 * put is kept, whatever the configuration says by now: it is on a screen.
 */
export async function resumeConsent(
  scan: Scan,
  { readConsent, audit, now }: Pick<ProvisionContext, 'readConsent' | 'audit' | 'now'>,
): Promise<Resumed> {
  const { question, consent, made } = scan;
  if (question === undefined || consent !== undefined || made !== null) return { kind: 'goes_on', scan };
  const answer = await readConsent({ library: scan.lending, event_id: scan.eventId });
  if (answer === null) {
    const leftMs = question.until_ms - now();
    return leftMs > 0 ? waitForAnswer(scan.lending, question, leftMs) : lapsed(question.home);
  }
  audit.consent(scan, question.home_key, answer);
  if (answer.answer === 'no') return done({ outcome: 'CONSENT_REFUSED', homes: [question.home] });
  const { text_id, operator, at_ms } = answer;
  return {
    kind: 'goes_on',
    scan: withConsent(scan, { text_id, operator, at: new Date(at_ms).toISOString() }),
  };
}

/** Nobody has said yes in time, or whoever did is somebody else. */
export const lapsed = (home: string): Done => done({ outcome: 'CONSENT_LAPSED', homes: [home] });

/** An event that waits for what the patron says. */
export const waitForAnswer = (library: string, question: Question, leftMs: number): Retry => ({
  kind: 'retry',
  library,
  reason: 'CONSENT',
  retryAfterMs: leftMs,
  question,
  otherwise: { outcome: 'CONSENT_LAPSED', homes: [question.home] },
});
