import {
  type Located,
  type PatronCopy,
  type Problem,
  type Silent,
  judge,
  libraryById,
} from '@passport/patron-rules';
import { decideFailure } from '../job/retry-policy.ts';
import type { CopyResult } from './copy.ts';
import { type Ending, type RunEnd, disclosedBy, ended } from './ending.ts';
import { type LoanDeps, type Made, endingOf, withLoan } from './checkout-step.ts';
import type { HeldLock } from '../job/job-lock.ts';
import type { Scan } from './scan.ts';

type Found = Extract<Located, { kind: 'found' }>;
type NoAnswer = Extract<Located, { kind: 'no_answer' }>;
type StoryDeps = Pick<LoanDeps, 'consortium' | 'audit'>;

/** The end of a scan whose card is at home nowhere, at several places, or nobody knows where. */
export function notFound(scan: Scan, located: Exclude<Located, Found>, { audit }: StoryDeps): RunEnd {
  switch (located.kind) {
    case 'nowhere':
      return ended({ outcome: 'NOT_FOUND' });
    case 'gone':
      return ended({ outcome: 'HOME_GONE', homes: [located.home] });
    case 'ambiguous':
      return ended({ outcome: 'AMBIGUOUS_HOME', homes: located.homes });
    case 'refused':
      audit.refusedBy(scan, located);
      return ended({ outcome: 'MISCONFIGURED', problem: { library: located.library, ...located.problem } });
    case 'no_answer':
      return unheard(scan, located);
    default:
      return located satisfies never;
  }
}

/** What is told to be waited for when several are silent: whoever may be heard first. */
const BY_WEIGHT = [
  'NO_ANSWER',
  'RATE_LIMITED',
  'BUSY',
  'LIMIT_REACHED',
  'CIRCUIT_OPEN',
  'SERVICE_UPDATE',
] as const;

function unheard(scan: Scan, { silent, refused }: NoAnswer): RunEnd {
  const weight = ({ reason }: Silent): number => BY_WEIGHT.indexOf(reason);
  const [told] = silent.toSorted((one, other) => weight(one) - weight(other));
  const homes = [...silent, ...refused].map(({ library }) => library);
  return {
    kind: 'waiting',
    library: told?.library ?? homes[0] ?? scan.lending,
    reason: told?.reason ?? 'NO_ANSWER',
    // One library's patience is its own: whoever asked for more is left alone all the same (back-off.ts).
    retryAfterMs: shortest(silent.map(({ retryAfterMs }) => retryAfterMs)),
    closed: silent.filter(({ reason }) => reason === 'CIRCUIT_OPEN').map(({ library }) => library),
    otherwise: { outcome: 'HOME_UNREACHABLE', homes },
  };
}

/** Null where one of them asks for nothing. */
function shortest(patience: readonly (number | null)[]): number | null {
  return patience.length === 0 || patience.includes(null) ? null : Math.min(...patience.map(Number));
}

/** The end of a patron who is not to be copied; null for one who is. */
export function judgeFound(scan: Scan, located: Found, { consortium, audit }: StoryDeps): Ending | null {
  const { candidate, patron } = located;
  const lending = libraryById(consortium, scan.lending);
  const judgement = judge({ patron, ...candidate, lending, scannedOn: scan.day });
  switch (judgement.kind) {
    case 'eligible':
      return null;
    case 'not_shared':
      audit.notShared(scan, candidate.home.id, judgement.because);
      return { outcome: 'NOT_FOUND' };
    case 'not_eligible': {
      const reasons = lending.eligibility.showReasons ? judgement.reasons : [];
      audit.notEligible(scan, candidate.home.id, judgement.reasons);
      return { outcome: 'NOT_ELIGIBLE', homes: [candidate.home.id], reasons };
    }
    default:
      return judgement satisfies never;
  }
}

/** The end of a patron whose category the lending library has not mapped. */
export function unmapped({ lending }: Scan, home: string, problem: Problem): Ending {
  return { outcome: 'MISCONFIGURED', problem: { library: lending, ...problem }, homes: [home] };
}

/** Does what is left to do at the lending library after the find: what fails there still says where the patron was found. */
export async function atLending(home: string, work: () => Promise<RunEnd>): Promise<RunEnd> {
  try {
    return await work();
  } catch (error) {
    const decision = decideFailure(error);
    if (decision.kind === 'misconfigured') {
      return ended({ outcome: 'MISCONFIGURED', problem: decision.problem, homes: [home] });
    }
    if (decision.kind !== 'wait') throw error;
    const { library, reason, retryAfterMs } = decision;
    const otherwise: Ending =
      library === home ? { outcome: 'HOME_UNREACHABLE', homes: [home] } : neverAnswered(home);
    return { kind: 'waiting', library, reason, retryAfterMs, otherwise };
  }
}

const neverAnswered = (home: string): Ending => ({ outcome: 'LENDING_UNREACHABLE', homes: [home] });

/** What became of the copy. */
export interface Copied {
  readonly home: string;
  readonly copy: Extract<PatronCopy, { kind: 'copy' }>;
  readonly result: CopyResult;
}

export interface AfterCopyDeps extends LoanDeps {
  /** A copy was made, so long after its scan. */
  readonly copied: (lending: string, sinceScanMs: number) => void;
}

/** From what became of the copy to the end of the story, the loan included. */
export async function afterCopy(
  scan: Scan,
  held: HeldLock,
  { home, copy, result }: Copied,
  deps: AfterCopyDeps,
): Promise<RunEnd> {
  const homes = [home];
  const isOurs = { home, home_key: copy.homeKey };
  const fields = [...copy.fields];
  switch (result.kind) {
    case 'copied': {
      const { patronId: patron_id } = result;
      deps.copied(scan.lending, deps.now() - scan.scannedMs);
      const made: Made = { outcome: 'COPIED', reasons: [], ...isOurs, patron_id, disclosed: fields };
      return withLoan(scan, held, made, false, deps);
    }
    case 'ours': {
      const { patronId: patron_id, cardChanged, rekeyed, unsure } = result;
      const reasons: Made['reasons'] = [];
      if (cardChanged) reasons.push('CARD_CHANGED');
      if (rekeyed) reasons.push('REKEYED');
      const disclosed = unsure ? fields : null;
      const made: Made = { outcome: 'ALREADY_LOCAL', reasons, ...isOurs, patron_id, disclosed };
      return withLoan(scan, held, made, scan.mayHaveWritten, deps);
    }
    case 'native':
      return ended({ outcome: 'ALREADY_LOCAL', patronId: result.patronId, homes });
    case 'conflict':
      return ended({ outcome: 'LOCAL_CONFLICT', homes });
    case 'merged':
      return ended({ outcome: 'MERGED_INTO_NATIVE', patronId: result.patronId, homes });
    case 'anonymized':
      return ended({ outcome: 'COPY_ANONYMIZED', patronId: result.patronId, homes });
    case 'look_alike':
      return ended({ outcome: 'LOOKS_LIKE_LOCAL_PATRON', homes });
    case 'record_refused':
      return ended({ outcome: 'LENDING_REFUSED', homes });
    case 'busy':
      return othersFirst(scan, home, result.freeInMs);
    case 'misconfigured': {
      const { problem, patronId } = result;
      const isThere = patronId === null ? {} : { patronId, ...disclosedBy({ ...isOurs, fields }) };
      return ended({ outcome: 'MISCONFIGURED', problem, homes, ...isThere });
    }
    default:
      return result satisfies never;
  }
}

/** Another job is writing for this very patron, and takes long. */
export function turnDidNotCome(scan: Scan, home: string): RunEnd {
  return othersFirst(scan, home, null);
}

/** Others are before this job at the lending library; that is no attempt. */
function othersFirst({ lending, made }: Scan, home: string, retryAfterMs: number | null): RunEnd {
  return {
    kind: 'waiting',
    library: lending,
    reason: 'BUSY',
    retryAfterMs,
    otherwise: made === null ? neverAnswered(home) : endingOf(made, { result: 'TOO_LATE', keys: [] }),
  };
}
