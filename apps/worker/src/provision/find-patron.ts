import type { Library } from '@passport/config';
import { OVERRIDE_REASONS } from '@passport/contract';
import { type KohaClient, KohaError, type KohaPatron } from '@passport/koha-client';
import {
  type Answer,
  type Candidate,
  type Located,
  type Silent,
  areSoft,
  cardsOfCopy,
  decideCandidates,
  decideEligibility,
  homeKeyOf,
  libraryById,
  locate,
  passportTypes,
  readAnswer,
} from '@passport/patron-rules';
import { SLOT_WAIT_WHEN_FREE_MS } from '../koha/connect-libraries.ts';
import type { Libraries } from '../koha/libraries.ts';
import { LibraryClosed, LibraryPaused } from '../koha/koha-failure.ts';
import { readTwice } from '../koha/transient.ts';
import { lapsed, waitForAnswer } from './consent.ts';
import type { ProvisionContext } from './context.ts';
import { askStaff, decisionOf, isOverridden } from './decision.ts';
import { type Result, type Retry, done, othersFirst } from './result.ts';
import { WAIT_RULES } from './retry-policy.ts';
import { type Scan, type ScanLock, isWithoutStaff } from './scan.ts';

/** The patron whose card was scanned, and the library that they are at home in. */
export interface Found {
  readonly kind: 'found';
  readonly candidate: Candidate;
  /** As home has them, but for the card: that is the copy's. */
  readonly patron: KohaPatron;
  /** Other numbers under which the lending library can know the card. */
  readonly otherCards: readonly string[];
  readonly home: string;
  readonly homeKey: string;
}

/**
 * Finds the patron whose card was scanned, of whom a copy may be made: by what the libraries have agreed, and by the patron's own
 * yes. A result where there is none.
 */
export async function findPatron(
  scan: Scan,
  lock: Pick<ScanLock, 'signal' | 'noteConsent'>,
  context: ProvisionContext,
): Promise<Found | Result> {
  const all = decideCandidates(context.consortium, scan.lending, scan.card);
  if (all.length === 0) return done({ outcome: 'NOT_A_CARD' });
  // Of those that had the card when staff were asked; without an agreement by now it has nobody.
  const chosen = decisionOf(scan, 'HOME_CHOICE')?.option;
  const candidates = all.filter(({ home }) => chosen === undefined || home.id === chosen);
  const freeInMs = scan.copyMayBeThere ? null : context.createAccess.freeInMs(scan.lending);
  if (freeInMs !== null) return othersFirst(scan, [], freeInMs);
  // Whatever becomes of the scan, the lending library hears of it.
  context.libraries.prepare(scan.lending);
  const located = await lookUpWithinQuota(scan, candidates, lock.signal, context);
  switch (located.kind) {
    case 'found':
      return whoMayBeCopied(scan, located, lock, context);
    case 'retry':
      return located;
    case 'nowhere':
      return done({ outcome: 'NOT_FOUND' });
    case 'gone':
      return done({ outcome: 'HOME_GONE', homes: [located.home] });
    case 'ambiguous':
      return whichHome(scan, located.homes, context);
    case 'refused':
      context.audit.refusedBy(scan, located);
      return done({ outcome: 'MISCONFIGURED', problem: { library: located.library, ...located.problem } });
    case 'no_answer':
      return tryAgain(scan.lending, located);
    default:
      return located satisfies never;
  }
}

/** Two patrons have the card. Staff see the names of the libraries and nothing of the patrons, and ask the one before them. */
function whichHome(scan: Scan, homes: readonly string[], { consortium, now }: ProvisionContext): Result {
  const { copy, retry } = libraryById(consortium, scan.lending);
  const ask = { question: 'HOME_CHOICE', options: homes } as const;
  // Where the library only observes nobody is copied, whoever it is.
  const mayAsk = homes.length > 1 && copy.mode === 'copy';
  const asked = mayAsk ? askStaff(scan, ask, retry.giveUpAfterMs, now) : null;
  return asked ?? done({ outcome: 'AMBIGUOUS_HOME', homes });
}

/** Looks the card up where the hour of the lending library has quota left for it. */
async function lookUpWithinQuota(
  scan: Scan,
  candidates: readonly Candidate[],
  signal: AbortSignal,
  context: ProvisionContext,
): Promise<Located | Retry> {
  const { quota } = context;
  const look = (): Promise<Located> => lookUp(scan, candidates, signal, context);
  const early = quota.isAmple(scan.lending) ? look() : null;
  early?.catch(() => undefined); // without quota, or Redis, nobody needs its answer
  return (await quota.reserve(scan)) ?? early ?? look();
}

/** Looks the card up at the candidates. */
async function lookUp(
  scan: Scan,
  candidates: readonly Candidate[],
  signal: AbortSignal,
  { consortium, libraries, inStep, audit }: ProvisionContext,
): Promise<Located> {
  const balance = libraryById(consortium, scan.lending).eligibility.maxDebt !== null;
  const queried = new Set<string>();
  const located = await inStep('locate', () =>
    locate({
      candidates,
      passportTypes: passportTypes(consortium),
      ...consortium.locate,
      waitMs: SLOT_WAIT_WHEN_FREE_MS,
      signal,
      async query(library, cards, deadline) {
        queried.add(library);
        const answer = await scan.history.note({ library, step: 'locate', text: saidBy }, () =>
          queryHome(libraries, library, cards, { balance, deadline, stop: signal }),
        );
        if (isPaused(answer)) queried.delete(library);
        return answer;
      },
    }),
  );
  audit.lookedUp(scan, [...queried], located);
  return located;
}

interface How {
  readonly balance: boolean;
  /** The library's own. */
  readonly deadline: AbortSignal;
  /** When the job has to stop. */
  readonly stop: AbortSignal;
}

/** Looks a card up at a home library, by all numbers that it can have there, in one call: a copy is known by its attributes, the balance is read only where a limit applies. */
export async function queryHome(
  libraries: Pick<Libraries, 'call'>,
  library: string,
  cards: readonly string[],
  how: How,
): Promise<Answer> {
  try {
    const look = () => libraries.call(library, (koha) => query(koha, cards, how), 'home');
    return await readAnswer(readTwice(look));
  } catch (error) {
    if (error instanceof LibraryPaused) {
      return { kind: 'no_answer', reason: 'PAUSED', retryAfterMs: error.retryAfterMs };
    }
    if (!(error instanceof LibraryClosed)) throw error;
    return { kind: 'no_answer', reason: 'CIRCUIT_OPEN', retryAfterMs: null };
  }
}

/** Hanging up on a library that was silent until its deadline is its failure and counts for its circuit; stopping is not. */
async function query(
  koha: KohaClient,
  cards: readonly string[],
  { balance, deadline, stop }: How,
): Promise<KohaPatron[]> {
  try {
    return await koha.findByCard(cards, { attributes: true, balance }, { signal: deadline });
  } catch (error) {
    const isOverdue = error instanceof KohaError && error.code === 'aborted' && !stop.aborted;
    if (!isOverdue) throw error;
    const { library, operation, effect } = error;
    throw new KohaError({ code: 'timeout', library, operation, effect });
  }
}

/** Whether somebody is at home there is not for everybody who may read the history: the lending library may not know. */
function saidBy(answer: Answer): string {
  if (answer.kind === 'patrons') return 'answered';
  return answer.kind === 'no_answer' ? answer.reason : 'refused';
}

/** A paused library was not queried, whatever the result. */
const isPaused = (answer: Answer): boolean => answer.kind === 'no_answer' && answer.reason === 'PAUSED';

function whoMayBeCopied(
  scan: Scan,
  { kind, candidate, patron }: Extract<Located, { kind: 'found' }>,
  lock: Pick<ScanLock, 'noteConsent'>,
  context: ProvisionContext,
): Found | Result {
  const { id: home } = candidate.home;
  const forms = { scanned: scan.card, number: patron.cardnumber ?? '' };
  const [cardnumber, ...otherCards] = cardsOfCopy(context.consortium, candidate.home, forms);
  const homeKey = homeKeyOf(home, patron.patronId);
  const found = { kind, candidate, patron: { ...patron, cardnumber }, otherCards, home, homeKey };
  const lending = libraryById(context.consortium, scan.lending);
  const otherwise = refuse(scan, found, lending, context) ?? requestConsent(scan, found, lending, context);
  if (otherwise !== null) return otherwise;
  if (scan.consent !== undefined) lock.noteConsent(scan.consent);
  return found;
}

/** What becomes of a patron who is not to be copied, or whom staff may have copied all the same; null for one who may be. */
function refuse(
  scan: Scan,
  { candidate, patron, home, homeKey }: Found,
  lending: Library,
  { audit, now }: ProvisionContext,
): Result | null {
  const decision = decideEligibility({ patron, ...candidate, lending, scannedOn: scan.day });
  switch (decision.kind) {
    case 'eligible':
      return null;
    case 'not_shared':
      audit.notShared(scan, home, decision.because);
      return done({ outcome: 'NOT_FOUND' });
    case 'not_eligible': {
      const { eligibility, copy, retry } = lending;
      const isSoft = copy.mode === 'copy' && areSoft(decision.reasons, eligibility);
      if (isSoft && isOverridden(scan, { homeKey, reasons: decision.reasons }, eligibility, now()))
        return null;
      audit.notEligible(scan, home, decision.reasons);
      const about = { home_key: homeKey, reasons: decision.reasons };
      const ask = { question: 'OVERRIDE', options: OVERRIDE_REASONS, ...about } as const;
      const asked = isSoft ? askStaff(scan, ask, retry.giveUpAfterMs, now) : null;
      const reasons = eligibility.showReasons ? decision.reasons : [];
      return asked ?? done({ outcome: 'NOT_ELIGIBLE', homes: [home], reasons });
    }
    default:
      return decision satisfies never;
  }
}

/**
 * The question for the patron's consent where the lending library requests it; null where it does not, or has their yes. Before that
 * nothing is written there, and nothing of the patron leaves for it: the event waits without a slot or a lock.
 */
function requestConsent(
  { question, consent, ...scan }: Scan,
  { home, homeKey }: Found,
  { copy: { consent: policy, mode } }: Library,
  { now }: ProvisionContext,
): Result | null {
  if (question !== undefined) {
    // The yes is for whoever was found then. By now it may be somebody else, whom nobody knows to agree.
    return consent !== undefined && question.home_key === homeKey ? null : lapsed(home);
  }
  if (policy === null || mode === 'observe') return null;
  // The record left before consent was requested here, and may be there: a no would promise what is not so.
  if (scan.copyMayBeThere && scan.sent?.home_key === homeKey) return null;
  if (isWithoutStaff(scan)) return done({ outcome: 'CONSENT_AT_DESK', homes: [home] });
  const { textId: text_id, texts, withinMs } = policy;
  const put_ms = now();
  const until_ms = put_ms + withinMs;
  const put = { home, home_key: homeKey, text_id, texts: { ...texts }, put_ms, until_ms };
  return waitForAnswer(scan.lending, put, withinMs);
}

/** What waits for the libraries that gave no answer; the one that may be heard first is reported. */
export function tryAgain(
  lending: string,
  { silent, refused }: Pick<Extract<Located, { kind: 'no_answer' }>, 'silent' | 'refused'>,
): Retry {
  const rank = ({ reason }: Silent): number => WAIT_RULES[reason].rank;
  const [first] = silent.toSorted((one, other) => rank(one) - rank(other));
  const paused = silent.filter(({ reason }) => reason === 'PAUSED');
  const homes = [...silent, ...refused].map(({ library }) => library);
  return {
    kind: 'retry',
    library: first?.library ?? homes[0] ?? lending,
    reason: first?.reason ?? 'NO_ANSWER',
    // One library's back-off is its own: whoever requested a longer one still gets it (back-off.ts).
    retryAfterMs: shortest(silent.map(({ retryAfterMs }) => retryAfterMs)),
    closed: silent.filter(({ reason }) => reason === 'CIRCUIT_OPEN').map(({ library }) => library),
    paused: paused.map(({ library }) => ({ library, side: 'home' })),
    otherwise: {
      outcome: 'HOME_UNREACHABLE',
      homes,
      ...(paused.length > 0 && paused.length === homes.length ? { reasons: ['PAUSED'] } : {}),
    },
  };
}

/** Null where one of them requests nothing. */
function shortest(patience: readonly (number | null)[]): number | null {
  return patience.length === 0 || patience.includes(null) ? null : Math.min(...patience.map(Number));
}
