import type { Consortium } from '@passport/config';
import type { JobData } from '@passport/contract';
import { homeKeyOf, libraryById } from '@passport/patron-rules';
import type { StoredConsent } from '@passport/queue';
import type { Audit } from './audit.ts';
import type { Found } from './find-patron.ts';
import { type Done, type Result, type Retry, done } from './result.ts';
import { type Scan, withConsent } from './scan.ts';

export interface ConsentDeps {
  readonly consortium: Consortium;
  /** What the desk has reported of this event; null: nothing yet. */
  readonly readConsent: (job: Pick<JobData, 'library' | 'event_id'>) => Promise<StoredConsent | null>;
  readonly audit: Pick<Audit, 'consent'>;
  readonly now: () => number;
}

/** Whether the patron who was found may be copied: for `scan`, which has their consent where it was requested. Else what it comes to. */
type Consent = { readonly kind: 'may_copy'; readonly scan: Scan } | Result;

type Question = NonNullable<JobData['question']>;

/** Nobody stands at these who could put the question. */
const WITHOUT_STAFF: ReadonlySet<Scan['interface']> = new Set(['self_check', 'sip']);

/**
 * What an event comes to that has put its question already, before anything is looked up again; null where it may go on, since the
 * patron has said yes. Whoever starts it earlier, such as a person who promotes it, finds it waiting as before. A question that was
 * put is kept, whatever the configuration says by now: it is on a screen.
 */
export async function resumeConsent(scan: Scan, deps: ConsentDeps): Promise<Result | null> {
  const { question, consent, made } = scan;
  if (question === undefined || consent !== undefined || made !== null) return null;
  const answer = await deps.readConsent({ library: scan.lending, event_id: scan.eventId });
  if (answer === null) {
    const leftMs = question.until_ms - deps.now();
    return leftMs > 0 ? waitForAnswer(scan.lending, question, leftMs) : lapsed(question.home);
  }
  deps.audit.consent(scan, question.home_key, answer);
  return answer.answer === 'yes' ? null : done({ outcome: 'CONSENT_REFUSED', homes: [question.home] });
}

/**
 * Requests the patron's consent where the library does. Before their yes nothing is written at the lending library, and nothing of the
 * patron leaves for it: the event waits without a slot or a lock.
 */
export async function requestConsent(scan: Scan, found: Found, deps: ConsentDeps): Promise<Consent> {
  const { candidate, patron } = found;
  const home = candidate.home.id;
  const homeKey = homeKeyOf(home, patron.patronId);
  if (scan.question !== undefined) return answerOf(scan, scan.question, { home, homeKey }, deps);
  const { consent: policy, mode } = libraryById(deps.consortium, scan.lending).copy;
  if (policy === null || mode === 'observe') return mayCopy(scan);
  // The record left before consent was requested here, and may be there: a no would promise what is not so.
  if (scan.copyMayBeThere && scan.sent?.home_key === homeKey) return mayCopy(scan);
  if (WITHOUT_STAFF.has(scan.interface)) return done({ outcome: 'CONSENT_AT_DESK', homes: [home] });
  const { textId: text_id, texts, withinMs } = policy;
  const put_ms = deps.now();
  const question = {
    home,
    home_key: homeKey,
    text_id,
    texts: { ...texts },
    put_ms,
    until_ms: put_ms + withinMs,
  };
  return waitForAnswer(scan.lending, question, withinMs);
}

async function answerOf(
  scan: Scan,
  question: Question,
  { home, homeKey }: { readonly home: string; readonly homeKey: string },
  deps: ConsentDeps,
): Promise<Consent> {
  // The yes is for whoever was found then. By now it is somebody else, whom nobody knows to agree.
  if (question.home_key !== homeKey) return lapsed(home);
  if (scan.consent !== undefined) return mayCopy(withConsent(scan, scan.consent));
  const answer = await deps.readConsent({ library: scan.lending, event_id: scan.eventId });
  if (answer?.answer !== 'yes') return lapsed(home);
  const { text_id, operator, at_ms } = answer;
  return mayCopy(withConsent(scan, { text_id, operator, at: new Date(at_ms).toISOString() }));
}

const mayCopy = (scan: Scan): Consent => ({ kind: 'may_copy', scan });

const lapsed = (home: string): Done => done({ outcome: 'CONSENT_LAPSED', homes: [home] });

const waitForAnswer = (library: string, question: Question, leftMs: number): Retry => ({
  kind: 'retry',
  library,
  reason: 'CONSENT',
  retryAfterMs: leftMs,
  question,
  otherwise: { outcome: 'CONSENT_LAPSED', homes: [question.home] },
});
