import { type Answer, readAnswer } from '@passport/verdict';
import { type Libraries, LibraryClosed } from './libraries.ts';
import type { AskHome } from './story-ports.ts';

/** Asks a home library for a card, in one call: attributes tell a copy, the balance is asked for only where it is judged. */
export function buildAskHome(libraries: Libraries): AskHome {
  return async (library, card, balance, signal): Promise<Answer> => {
    try {
      return await readAnswer(
        libraries.call(library, (koha) => koha.findByCard(card, { attributes: true, balance }, { signal })),
      );
    } catch (error) {
      if (!(error instanceof LibraryClosed)) throw error;
      return { kind: 'no_answer', reason: 'CIRCUIT_OPEN', retryAfterMs: null };
    }
  };
}
