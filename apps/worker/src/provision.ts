import {
  type Candidate,
  type Located,
  type PatronCopy,
  buildPatronCopy,
  decideCandidates,
  judge,
  libraryById,
  locate,
  passportTypes,
} from '@passport/verdict';
import { type CopyResult, copyPatron } from './copy.ts';
import { type Ending, type RunEnd, ended } from './ending.ts';
import type { HeldLock } from './lock-watch.ts';
import { type LoanDeps, type Made, finishLoan, withLoan } from './lend.ts';
import type { Scan } from './scan.ts';
import type { AskHome, TakeTurn, TakeUp } from './story-ports.ts';

type Found = Extract<Located, { kind: 'found' }>;
type Copy = Extract<PatronCopy, { kind: 'copy' }>;

export interface ProvisionDeps extends LoanDeps {
  readonly ask: AskHome;
  /** Takes the event up under the library's hourly limits. */
  readonly takeUp: TakeUp;
  /** One copy of one patron at a time. */
  readonly takeTurn: TakeTurn;
}

/**
 * The story of a scan: locate -> judge -> copy -> retry. Each step ends the story or hands on what the next one needs.
 * Throws KohaError or LibraryClosed where a library must be tried again.
 */
export async function provision(scan: Scan, lock: HeldLock, deps: ProvisionDeps): Promise<RunEnd> {
  if (scan.made !== null) return finishLoan(scan, lock, scan.made, deps);
  const candidates = decideCandidates(deps.consortium, scan.lending, scan.card);
  if (candidates.length === 0) return ended({ outcome: 'NOT_A_CARD' });
  const limited = await deps.takeUp(scan);
  if (limited !== null) return limited;

  const located = await find(scan, lock, candidates, deps);
  if (located.kind !== 'found') return notFound(scan, located, deps);
  const verdict = judgeFound(scan, located, deps);
  if (verdict !== null) return ended(verdict);

  const copy = await composeCopy(scan, located, deps);
  if (copy.kind === 'misconfigured') {
    return ended({ outcome: 'MISCONFIGURED', problem: { library: scan.lending, ...copy.problem } });
  }
  const homeId = located.candidate.home.id;
  const turn = await deps.takeTurn(scan.lending, copy.homeKey, lock.signal);
  if (turn === null) return busy(scan);
  try {
    const result = await makeCopy(scan, lock, copy, homeId, deps);
    return await concluded(scan, lock, { copy, result, homeId }, deps);
  } finally {
    await turn();
  }
}

async function find(
  scan: Scan,
  lock: HeldLock,
  candidates: readonly Candidate[],
  deps: ProvisionDeps,
): Promise<Located> {
  const { consortium, ask, now, step, audit } = deps;
  const startedAt = now();
  const balance = libraryById(consortium, scan.lending).eligibility.maxDebt !== null;
  const located = await locate({
    candidates,
    card: scan.card,
    passportTypes: passportTypes(consortium),
    strict: consortium.locate.strict,
    signal: lock.signal,
    ask: (library, card, signal) => ask(library, card, balance, signal),
  });
  step('locate', startedAt);
  audit.lookedUp(scan, candidates, located);
  return located;
}

function notFound(scan: Scan, located: Exclude<Located, Found>, { audit }: ProvisionDeps): RunEnd {
  switch (located.kind) {
    case 'nowhere':
      return ended({ outcome: 'NOT_FOUND' });
    case 'ambiguous':
      return ended({ outcome: 'AMBIGUOUS_HOME', homes: located.homes });
    case 'refused': {
      audit.refusedBy(scan, located);
      return ended({ outcome: 'MISCONFIGURED', problem: { library: located.library, ...located.problem } });
    }
    case 'no_answer': {
      const { silent, refused } = located;
      const [first] = silent;
      const homes = [...silent, ...refused].map(({ library }) => library);
      const onlyClosed = silent.every(({ reason }) => reason === 'CIRCUIT_OPEN');
      const asked = silent.map(({ retryAfterMs }) => retryAfterMs ?? 0);
      return {
        kind: 'waiting',
        library: first?.library ?? homes[0] ?? scan.lending,
        reason: silent.length > 1 && !onlyClosed ? 'NO_ANSWER' : (first?.reason ?? 'NO_ANSWER'),
        retryAfterMs: Math.max(0, ...asked) || null,
        otherwise: { outcome: 'HOME_UNREACHABLE', homes },
      };
    }
    default:
      return located satisfies never;
  }
}

/** The end of a patron who is not to be copied; null for one who is. */
function judgeFound(scan: Scan, located: Found, { consortium, audit }: ProvisionDeps): Ending | null {
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

async function composeCopy(
  scan: Scan,
  { candidate, patron }: Found,
  deps: ProvisionDeps,
): Promise<PatronCopy> {
  const lending = libraryById(deps.consortium, scan.lending);
  const { patronProperties } = await deps.libraries.call(scan.lending, (koha) => koha.capabilities());
  return buildPatronCopy({
    patron,
    ...candidate,
    lending,
    branch: scan.branch,
    scannedOn: scan.day,
    accepts: (property) => patronProperties.has(property),
  });
}

async function makeCopy(
  scan: Scan,
  lock: HeldLock,
  copy: Copy,
  home: string,
  deps: ProvisionDeps,
): Promise<CopyResult> {
  const { copy: policy } = libraryById(deps.consortium, scan.lending);
  const startedAt = deps.now();
  const result = await copyPatron(
    {
      lending: scan.lending,
      home,
      homeKey: copy.homeKey,
      branch: scan.branch,
      body: copy.body,
      passportTypes: passportTypes(deps.consortium),
      homeKeyAttribute: policy.homeKeyAttribute,
      onLookAlike: policy.onLookAlike,
      lookFirst: scan.mayHaveWritten,
    },
    { ...deps, signal: lock.signal, assertHeld: () => lock.assertHeld() },
  );
  deps.step('copy', startedAt);
  deps.audit.copied(scan, copy, result);
  return result;
}

/** From what became of the copy to the end of the story, the loan included. */
async function concluded(
  scan: Scan,
  lock: HeldLock,
  { copy, result, homeId }: { readonly copy: Copy; readonly result: CopyResult; readonly homeId: string },
  deps: ProvisionDeps,
): Promise<RunEnd> {
  const isOurs = { home: homeId, home_key: copy.homeKey };
  const fields = [...copy.fields];
  switch (result.kind) {
    case 'copied': {
      const { patronId: patron_id } = result;
      const made: Made = { outcome: 'COPIED', reasons: [], ...isOurs, patron_id, disclosed: fields };
      return withLoan(scan, lock, made, false, deps);
    }
    case 'ours': {
      const { patronId: patron_id, cardChanged, unsure } = result;
      const reasons: Made['reasons'] = cardChanged ? ['CARD_CHANGED'] : [];
      const disclosed = unsure ? fields : null;
      const made: Made = { outcome: 'ALREADY_LOCAL', reasons, ...isOurs, patron_id, disclosed };
      return withLoan(scan, lock, made, scan.mayHaveWritten, deps);
    }
    case 'native':
      return ended({ outcome: 'ALREADY_LOCAL', patronId: result.patronId });
    case 'conflict':
      return ended({ outcome: 'LOCAL_CONFLICT' });
    case 'look_alike':
      return ended({ outcome: 'LOOKS_LIKE_LOCAL_PATRON' });
    case 'record_refused':
      return ended({ outcome: 'LENDING_REFUSED' });
    case 'misconfigured': {
      const { problem, patronId } = result;
      const disclosed = { home: homeId, homeKey: copy.homeKey, fields };
      return ended({
        outcome: 'MISCONFIGURED',
        problem,
        ...(patronId === null ? {} : { patronId, disclosed }),
      });
    }
    default:
      return result satisfies never;
  }
}

/** Another job is making this very copy, and takes long. */
const busy = (scan: Scan): RunEnd => ({
  kind: 'waiting',
  library: scan.lending,
  reason: 'BUSY',
  retryAfterMs: null,
  otherwise: { outcome: 'LENDING_UNREACHABLE' },
});
