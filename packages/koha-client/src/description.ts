import { parseJsonBody } from './answer-body.ts';
import { parseDescription } from './capabilities.ts';
import type { Description } from './capabilities.ts';
import { badAnswer } from './failure-of.ts';
import type { CallOptions, Session } from './session.ts';
import { waitForShared } from './shared-answer.ts';

/** One Koha's description of itself, read when first needed and shared by all who wait for it. */
export interface DescriptionKeeper {
  get(options?: CallOptions): Promise<Description>;
  /** To be called when Koha refused something its description allowed: the next `get` reads anew. */
  forget(): void;
}

/** Koha's are upgraded at night; an hour later the service has noticed by itself. */
const KEPT_MS = 60 * 60_000;

/**
 * Creates the keeper. A failed read is thrown and tried again at the next call; only a description that has merely grown old
 * is used on when it cannot be read again, because an older truth about this server is still no guess.
 */
export function createDescriptionKeeper(
  session: Session,
  limits: { timeoutMs: number; now(): number },
): DescriptionKeeper {
  let kept: { description: Description; untilMs: number } | undefined;
  let reading: Promise<Description> | undefined;

  const read = async (): Promise<Description> => {
    const answer = await session.call({ operation: 'GET /', method: 'GET', path: '/', anonymous: true });
    if (answer.status !== 200) throw session.failure(answer);
    const description = parseDescription(parseJsonBody(answer));
    if (description === null) throw badAnswer(session.library, answer);
    kept = { description, untilMs: limits.now() + KEPT_MS };
    return description;
  };

  const readOnce = (): Promise<Description> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    reading.catch(() => undefined); // when every caller has left, nobody else listens
    return reading;
  };

  return {
    get: async (options = {}) => {
      if (kept !== undefined && limits.now() < kept.untilMs) return kept.description;
      const old = kept?.description;
      const shared = waitForShared(readOnce(), {
        library: session.library,
        operation: 'GET /',
        timeoutMs: session.patienceMs(options),
        signal: options.signal,
      });
      if (old === undefined) return shared;
      return shared.catch((error: unknown) => {
        if (options.signal?.aborted === true) throw error;
        return old;
      });
    },
    forget: () => {
      kept = undefined;
    },
  };
}
