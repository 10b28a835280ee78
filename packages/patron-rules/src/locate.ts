import { type WaitingReason, sameCard } from '@passport/contract';
import type { KohaPatron } from '@passport/koha-client';
import type { Answer } from './answer.ts';
import type { Misconfiguration } from './failure.ts';
import type { Candidate } from './candidates.ts';
import { isCopy } from './is-copy.ts';

/** A candidate that did not say whether it has the card, and why. */
export interface Silent {
  readonly library: string;
  readonly reason: WaitingReason;
  readonly retryAfterMs: number | null;
}

/** A candidate that would not answer us until a person fixes something. */
export interface Refusing {
  readonly library: string;
  readonly problem: Misconfiguration;
}

/** Who did not answer, whatever the result. */
interface Unheard {
  readonly silent: readonly Silent[];
  readonly refused: readonly Refusing[];
}

/** Where a card is at home. It follows from what was answered and never from who answered first. */
export type Located =
  | ({ readonly kind: 'found'; readonly candidate: Candidate; readonly patron: KohaPatron } & Unheard)
  /** Two or more have it; ids in the configuration's order. */
  | ({ readonly kind: 'ambiguous'; readonly homes: readonly string[] } & Unheard)
  | { readonly kind: 'nowhere' }
  /** The only record with this card is one that its library has anonymised. */
  | ({ readonly kind: 'gone'; readonly home: string } & Unheard)
  /** Somebody who was not heard may have it; with `strict` also when another has it. */
  | ({ readonly kind: 'no_answer' } & Unheard)
  /** Nobody who answered has it, and those who did not would not: the first of them, to be named. */
  | ({ readonly kind: 'refused' } & Refusing & Unheard);

export interface Location {
  readonly candidates: readonly Candidate[];
  /** See `passportTypes`. */
  readonly passportTypes: ReadonlySet<string>;
  /** `locate.strict`: one match does not suffice while somebody was not heard. */
  readonly strict: boolean;
  /** `locate.patterns_decide`: those whose card patterns fit are queried first, and the others only if none of them has it. */
  readonly patternsDecide: boolean;
  /** How long a library may have others before us, in milliseconds; its deadline counts from then on. Default 0. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Queries one library, once, for all numbers; its signal ends at that library's deadline. Throws for bugs only. */
  query(libraryId: string, cards: readonly string[], signal: AbortSignal): Promise<Answer>;
}

/**
 * Queries all candidates at the same time, each under its own deadline (its Koha's timeout), and says where the card is at home. Ends
 * when every candidate has answered or met its deadline. Where patterns decide, the candidates without any are queried only when all
 * others have answered that they have nobody. Throws only the reason of `signal` when that ends first, and bugs.
 */
export async function locate(location: Location): Promise<Located> {
  const { candidates, patternsDecide } = location;
  const fitting = patternsDecide ? candidates.filter(hasPatterns) : candidates;
  const first = await queryAll(fitting, location);
  const located = decideHome(first, location);
  if (located.kind !== 'nowhere' || fitting.length === candidates.length) return located;
  const others = candidates.filter((candidate) => !hasPatterns(candidate));
  return decideHome([...first, ...(await queryAll(others, location))], location);
}

async function queryAll(
  candidates: readonly Candidate[],
  location: Location,
): Promise<{ candidate: Candidate; answer: Answer }[]> {
  const answers = await Promise.all(
    candidates.map(async (candidate) => ({ candidate, answer: await queryInTime(location, candidate) })),
  );
  location.signal?.throwIfAborted();
  return answers;
}

/** A candidate with patterns is one whose patterns fit the card. */
const hasPatterns = ({ home }: Candidate): boolean => home.cards.length > 0;

/** The result of a set of answers; their order does not matter beyond the order in which libraries are named. */
export function decideHome(
  answers: readonly { candidate: Candidate; answer: Answer }[],
  { strict, passportTypes }: Pick<Location, 'strict' | 'passportTypes'>,
): Located {
  const silent: Silent[] = [];
  const refused: Refusing[] = [];
  let isFittingUnheard = false;
  const gone: string[] = [];
  const matches: { candidate: Candidate; patron: KohaPatron }[] = [];
  for (const { candidate, answer } of answers) {
    const library = candidate.home.id;
    if (answer.kind !== 'patrons' && hasPatterns(candidate)) isFittingUnheard = true;
    switch (answer.kind) {
      case 'no_answer':
        silent.push({ library, reason: answer.reason, retryAfterMs: answer.retryAfterMs });
        break;
      case 'refused':
        refused.push({ library, problem: answer.problem });
        break;
      case 'patrons':
        for (const patron of answer.patrons) {
          if (!isHomeRecord(patron, candidate.cards, passportTypes)) continue;
          if (patron.anonymized === true) gone.push(library);
          else matches.push({ candidate, patron });
        }
        break;
      default:
        answer satisfies never;
    }
  }
  const [match, another] = matches;
  const [refusing] = refused;
  if (match !== undefined && another !== undefined) {
    const homes = [...new Set(matches.map(({ candidate }) => candidate.home.id))];
    return { kind: 'ambiguous', homes, silent, refused };
  }
  // A library that our own cap kept from being queried is there, and answers in a moment: one match does not suffice until then.
  const isUnasked = silent.some(({ reason }) => reason === 'BUSY');
  // A library without patterns is queried for every card: its find alone must not outvote the one whose number it is.
  const isOutranked = match !== undefined && isFittingUnheard && !hasPatterns(match.candidate);
  if (
    match !== undefined &&
    !isUnasked &&
    !isOutranked &&
    (!strict || silent.length + refused.length === 0)
  ) {
    return { kind: 'found', ...match, silent, refused };
  }
  // A silent library may have the card, so it is worth another try before a person is called.
  if (match !== undefined || silent.length > 0) return { kind: 'no_answer', silent, refused };
  if (refusing !== undefined) return { kind: 'refused', ...refusing, silent, refused };
  const [home] = gone;
  return home === undefined ? { kind: 'nowhere' } : { kind: 'gone', home, silent, refused };
}

function isHomeRecord(patron: KohaPatron, cards: readonly string[], types: ReadonlySet<string>): boolean {
  const { cardnumber } = patron;
  return cardnumber !== null && cards.some((card) => sameCard(cardnumber, card)) && !isCopy(patron, types);
}

/** An answer that comes too late is none, also from a `query` that does not heed its signal. */
async function queryInTime(location: Location, { home, cards }: Candidate): Promise<Answer> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  const timer = setTimeout(stop, (location.waitMs ?? 0) + home.koha.timeoutMs);
  location.signal?.addEventListener('abort', stop, { once: true });
  if (location.signal?.aborted === true) stop();
  const tooLate = new Promise<Answer>((resolve) => {
    const giveUp = (): void => resolve({ kind: 'no_answer', reason: 'NO_ANSWER', retryAfterMs: null });
    if (end.signal.aborted) giveUp();
    else end.signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([location.query(home.id, cards, end.signal), tooLate]);
  } finally {
    clearTimeout(timer);
    location.signal?.removeEventListener('abort', stop);
  }
}
