import type { Eligibility } from '@passport/config';
import type { EligibilityReason, Question } from '@passport/contract';
import type { ProvisionContext } from './context.ts';
import { type End, type Result, type Retry, done } from './result.ts';
import { type Scan, type ScanLock, isWithoutStaff, withDecision } from './scan.ts';

/** A question for staff, as it is put. */
export type Asks = NonNullable<Scan['asks']>;
type Decided = Scan['decided'][number];

/**
 * What an event comes to that has put a question to staff, before anybody is looked up again, unless they have decided. The decision
 * is kept with the job, so that a later run needs no second one.
 */
export async function resumeDecision(
  scan: Scan,
  lock: Pick<ScanLock, 'noteDecided'>,
  { readDecision, audit, now }: Pick<ProvisionContext, 'readDecision' | 'audit' | 'now'>,
): Promise<{ readonly kind: 'goes_on'; readonly scan: Scan } | Result> {
  const { asks, made } = scan;
  if (asks === undefined || made !== null || decisionOf(scan, asks.question) !== undefined)
    return { kind: 'goes_on', scan };
  const { question, home_key, reasons } = asks;
  const answer = await readDecision({ library: scan.lending, event_id: scan.eventId }, question);
  if (answer === null) {
    const leftMs = asks.until_ms - now();
    return leftMs > 0 ? waitForDecision(scan.lending, asks, leftMs) : done(undecided(asks));
  }
  const { answer: option, operator, at_ms } = answer;
  const decided = { question, home_key, reasons, option, operator, at: new Date(at_ms).toISOString() };
  audit.decided(scan, decided);
  const after = withDecision(scan, decided);
  lock.noteDecided(after.decided);
  return { kind: 'goes_on', scan: after };
}

/** What staff have decided of this question; undefined: nothing. */
export const decisionOf = ({ decided }: Pick<Scan, 'decided'>, question: Question): Decided | undefined =>
  decided.find((each) => each.question === question);

/**
 * The question for staff, for as long as an event is tried. Null where nobody who could decide it stands at the desk, or somebody has decided
 * it before.
 */
export function askStaff(
  scan: Scan,
  {
    question,
    options,
    home_key = null,
    reasons = [],
  }: {
    readonly question: Question;
    readonly options: readonly string[];
    readonly home_key?: string | null;
    readonly reasons?: readonly EligibilityReason[];
  },
  withinMs: number,
  now: () => number,
): Retry | null {
  if (isWithoutStaff(scan) || !scan.decides.includes(question)) return null;
  if (decisionOf(scan, question) !== undefined) return null;
  const put_ms = now();
  const put = { question, options: [...options], home_key, reasons: [...reasons] };
  return waitForDecision(scan.lending, { ...put, put_ms, until_ms: put_ms + withinMs }, withinMs);
}

/**
 * Whether staff have overridden these reasons of this very patron, and their override still holds: an event that failed can be retried
 * when its term (`eligibility.override.for`) is over.
 */
export function isOverridden(
  scan: Pick<Scan, 'decided'>,
  about: { readonly homeKey: string; readonly reasons: readonly EligibilityReason[] },
  { override }: Pick<Eligibility, 'override'>,
  nowMs: number,
): boolean {
  const decided = decisionOf(scan, 'OVERRIDE');
  if (decided === undefined || override === null || nowMs > Date.parse(decided.at) + override.forMs)
    return false;
  return (
    decided.home_key === about.homeKey && about.reasons.every((reason) => decided.reasons.includes(reason))
  );
}

const waitForDecision = (library: string, asks: Asks, leftMs: number): Retry => ({
  kind: 'retry',
  library,
  reason: asks.question,
  retryAfterMs: leftMs,
  asks,
  otherwise: undecided(asks),
});

/** What it comes to without a decision: what it would have come to at once. */
function undecided({ question, options, home_key, reasons }: Asks): End {
  if (question === 'HOME_CHOICE') return { outcome: 'AMBIGUOUS_HOME', homes: options };
  const home = home_key?.slice(0, home_key.indexOf(':'));
  return { outcome: 'NOT_ELIGIBLE', homes: home === undefined ? [] : [home], reasons };
}
