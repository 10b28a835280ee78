import {
  type Candidate,
  type Located,
  type PatronCopy,
  buildPatronCopy,
  copyCategoriesOf,
  decideCandidates,
  libraryById,
  locate,
  passportTypes,
} from '@passport/patron-rules';
import { type CopyResult, copyPatron } from './copy.ts';
import { type RunEnd, ended } from './ending.ts';
import { finishLoan } from './checkout-step.ts';
import type { JobHold } from '../job/job-lock.ts';
import type { Scan } from './scan.ts';
import {
  type AfterCopyDeps,
  afterCopy,
  atLending,
  judgeFound,
  notFound,
  turnDidNotCome,
  unmapped,
} from './workflow-results.ts';
import type { AskHome, InPlace, InTurn, TakeUp } from './ports.ts';

export interface ProvisionDeps extends AfterCopyDeps {
  readonly ask: AskHome;
  /** Takes the event up under the library's hourly limits. */
  readonly takeUp: TakeUp;
  /** One job at a time writes for one patron. */
  readonly inTurn: InTurn;
  /** One create at a time at one lending library. */
  readonly inPlace: InPlace;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * The story of a scan: locate -> judge -> copy -> retry. Each step ends the story or hands on what the next one needs.
 * Throws KohaError or LibraryClosed where a library must be tried again.
 */
export async function provision(scan: Scan, hold: JobHold, deps: ProvisionDeps): Promise<RunEnd> {
  if (scan.made !== null) return onlyTheLoan(scan, scan.made, hold, deps);
  const candidates = decideCandidates(deps.consortium, scan.lending, scan.card);
  if (candidates.length === 0) return ended({ outcome: 'NOT_A_CARD' });
  const limited = await deps.takeUp(scan);
  if (limited !== null) return limited;

  const located = await find(scan, hold, candidates, deps);
  if (located.kind !== 'found') return notFound(scan, located, deps);
  const verdict = judgeFound(scan, located, deps);
  if (verdict !== null) return ended(verdict);

  const home = located.candidate.home.id;
  return atLending(home, async () => {
    const copy = await composeCopy(scan, located, deps);
    if (copy.kind === 'misconfigured') return ended(unmapped(scan, home, copy.problem));
    const end = await deps.inTurn(scan, copy.homeKey, hold, async (held) => {
      const result = await makeCopy(scan, { ...hold, ...held }, copy, located, deps);
      return afterCopy(scan, held, { copy, result, home }, deps);
    });
    return end ?? turnDidNotCome(scan, home);
  });
}

/** An earlier run made the copy and could not lend yet: nobody needs the home library any more. */
async function onlyTheLoan(
  scan: Scan,
  made: NonNullable<Scan['made']>,
  hold: JobHold,
  deps: ProvisionDeps,
): Promise<RunEnd> {
  const end = await deps.inTurn(scan, made.home_key, hold, (held) => finishLoan(scan, held, made, deps));
  return end ?? turnDidNotCome(scan, made.home);
}

async function find(
  scan: Scan,
  hold: JobHold,
  candidates: readonly Candidate[],
  deps: ProvisionDeps,
): Promise<Located> {
  const { consortium, ask, inStep, audit } = deps;
  const balance = libraryById(consortium, scan.lending).eligibility.maxDebt !== null;
  const asked = new Set<string>();
  const located = await inStep('locate', () =>
    locate({
      candidates,
      card: scan.card,
      passportTypes: passportTypes(consortium),
      ...consortium.locate,
      signal: hold.signal,
      ask(library, card, deadline) {
        asked.add(library);
        return ask(library, card, { balance, deadline, stop: hold.signal });
      },
    }),
  );
  audit.lookedUp(scan, [...asked], located);
  return located;
}

async function composeCopy(
  scan: Scan,
  { candidate, patron }: Extract<Located, { kind: 'found' }>,
  deps: ProvisionDeps,
): Promise<PatronCopy> {
  const lending = libraryById(deps.consortium, scan.lending);
  const { patronProperties } = await deps.libraries.capabilities(scan.lending);
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
  held: JobHold,
  copy: Extract<PatronCopy, { kind: 'copy' }>,
  { candidate, patron }: Extract<Located, { kind: 'found' }>,
  deps: ProvisionDeps,
): Promise<CopyResult> {
  const { copy: policy } = libraryById(deps.consortium, scan.lending);
  const home = candidate.home.id;
  const noteSent = async (): Promise<void> => {
    await held.noteSent({ home, home_key: copy.homeKey, fields: [...copy.fields] });
    deps.audit.sending(scan, copy);
  };
  const result = await deps.inStep('copy', () =>
    copyPatron(
      {
        lending: scan.lending,
        home,
        homeKey: copy.homeKey,
        branch: scan.branch,
        body: copy.body,
        passportTypes: passportTypes(deps.consortium),
        homeKeyAttribute: policy.homeKeyAttribute,
        copyCategories: copyCategoriesOf(policy),
        homeRecord: patron,
        onLookAlike: policy.onLookAlike,
        lookFirst: scan.sent !== null,
      },
      {
        ...deps,
        signal: held.signal,
        assertHeld: () => held.assertHeld(),
        inPlace: (work) => deps.inPlace(scan, held, work),
        noteSent,
        nothingLeft: () => held.nothingLeft(),
      },
    ),
  );
  if (result.kind !== 'busy') deps.audit.copied(scan, copy, result);
  return result;
}
