import { type KohaClient, KohaError, type KohaPatron } from '@passport/koha-client';
import { type Answer, readAnswer } from '@passport/patron-rules';
import type { Libraries } from '../koha/libraries.ts';
import { readTwice } from '../koha/of-the-moment.ts';
import { LibraryClosed, LibraryPaused } from '../koha/library-closed.ts';

interface How {
  readonly balance: boolean;
  /** The library's own. */
  readonly deadline: AbortSignal;
  /** When the job has to stop. */
  readonly stop: AbortSignal;
}

/** Looks a card up at a home library, in one call: a copy is known by its attributes, the balance is read only where a limit applies. */
export function buildHomeQuery(libraries: Libraries) {
  return async (library: string, card: string, how: How): Promise<Answer> => {
    try {
      const look = () => libraries.call(library, (koha) => query(koha, card, how), 'home');
      return await readAnswer(readTwice(look));
    } catch (error) {
      if (error instanceof LibraryPaused) {
        return { kind: 'no_answer', reason: 'PAUSED', retryAfterMs: error.retryAfterMs };
      }
      if (!(error instanceof LibraryClosed)) throw error;
      return { kind: 'no_answer', reason: 'CIRCUIT_OPEN', retryAfterMs: null };
    }
  };
}

/** Hanging up on a library that was silent until its deadline is its failure and counts for its circuit; stopping is not. */
async function query(
  koha: KohaClient,
  card: string,
  { balance, deadline, stop }: How,
): Promise<KohaPatron[]> {
  try {
    return await koha.findByCard(card, { attributes: true, balance }, { signal: deadline });
  } catch (error) {
    const isOverdue = error instanceof KohaError && error.code === 'aborted' && !stop.aborted;
    if (!isOverdue) throw error;
    const { library, operation, effect } = error;
    throw new KohaError({ code: 'timeout', library, operation, effect });
  }
}
