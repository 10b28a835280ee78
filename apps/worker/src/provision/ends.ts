import { type Located, type Silent, decideEligibility } from '@passport/patron-rules';
import type { Library } from '@passport/config';
import { WAIT_RULES, decideFailure } from './retry-policy.ts';
import type { Audit } from './audit.ts';
import { type End, type Result, type Retry, checkoutTooLate, done } from './result.ts';
import type { Scan } from './scan.ts';

export type Found = Extract<Located, { kind: 'found' }>;
type NoAnswer = Extract<Located, { kind: 'no_answer' }>;

/** The result of a scan whose card is at home nowhere, at several places, or nobody knows where. */
export function notFound(
  scan: Scan,
  located: Exclude<Located, Found>,
  audit: Pick<Audit, 'refusedBy'>,
): Result {
  switch (located.kind) {
    case 'nowhere':
      return done({ outcome: 'NOT_FOUND' });
    case 'gone':
      return done({ outcome: 'HOME_GONE', homes: [located.home] });
    case 'ambiguous':
      return done({ outcome: 'AMBIGUOUS_HOME', homes: located.homes });
    case 'refused':
      audit.refusedBy(scan, located);
      return done({ outcome: 'MISCONFIGURED', problem: { library: located.library, ...located.problem } });
    case 'no_answer':
      return homesSilent(scan, located);
    default:
      return located satisfies never;
  }
}

function homesSilent(scan: Scan, { silent, refused }: NoAnswer): Retry {
  const rank = ({ reason }: Silent): number => WAIT_RULES[reason].rank;
  const [first] = silent.toSorted((one, other) => rank(one) - rank(other));
  const homes = [...silent, ...refused].map(({ library }) => library);
  return {
    kind: 'retry',
    library: first?.library ?? homes[0] ?? scan.lending,
    reason: first?.reason ?? 'NO_ANSWER',
    // One library's back-off is its own: whoever requested a longer one still gets it (back-off.ts).
    retryAfterMs: shortest(silent.map(({ retryAfterMs }) => retryAfterMs)),
    closed: silent.filter(({ reason }) => reason === 'CIRCUIT_OPEN').map(({ library }) => library),
    otherwise: { outcome: 'HOME_UNREACHABLE', homes },
  };
}

/** Null where one of them requests nothing. */
function shortest(patience: readonly (number | null)[]): number | null {
  return patience.length === 0 || patience.includes(null) ? null : Math.min(...patience.map(Number));
}

/** The end of a patron who is not to be copied; null for one who is. */
export function decideEligible(
  scan: Scan,
  { candidate, patron }: Found,
  lending: Library,
  audit: Pick<Audit, 'notShared' | 'notEligible'>,
): End | null {
  const home = candidate.home.id;
  const decision = decideEligibility({ patron, ...candidate, lending, scannedOn: scan.day });
  switch (decision.kind) {
    case 'eligible':
      return null;
    case 'not_shared':
      audit.notShared(scan, home, decision.because);
      return { outcome: 'NOT_FOUND' };
    case 'not_eligible': {
      const reasons = lending.eligibility.showReasons ? decision.reasons : [];
      audit.notEligible(scan, home, decision.reasons);
      return { outcome: 'NOT_ELIGIBLE', homes: [home], reasons };
    }
    default:
      return decision satisfies never;
  }
}

/** The result of a failure after the patron was found: it still says where. Throws what is no failure of a library. */
export function failedAtLending(home: string, error: unknown): Result {
  const failure = decideFailure(error);
  if (failure.kind === 'misconfigured') {
    return done({ outcome: 'MISCONFIGURED', problem: failure.problem, homes: [home] });
  }
  if (failure.kind !== 'wait') throw error;
  const { library, reason, retryAfterMs } = failure;
  const outcome = library === home ? 'HOME_UNREACHABLE' : 'LENDING_UNREACHABLE';
  return { kind: 'retry', library, reason, retryAfterMs, otherwise: { outcome, homes: [home] } };
}

/** Other jobs write for this patron, or create copies at the lending library, before this one; that is no attempt. */
export function othersFirst(
  { lending, made }: Scan,
  home: string | null,
  retryAfterMs: number | null,
): Retry {
  const homes = home === null ? [] : [home];
  const otherwise: End = made === null ? { outcome: 'LENDING_UNREACHABLE', homes } : checkoutTooLate(made);
  return { kind: 'retry', library: lending, reason: 'BUSY', retryAfterMs, otherwise };
}
