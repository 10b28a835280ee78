import { badAnswer } from '../errors/failure-of.ts';
import { parseJsonBody } from '../answers/json-body.ts';
import type { Calls, KeptCapabilities } from '../transport/session.ts';
import { shareWork, waitForShared } from '../transport/shared-answer.ts';
import { parseDescription, type Capabilities } from '../transport/capabilities.ts';

/** Koha's are upgraded at night; an hour later the service has noticed by itself. */
const KEPT_MS = 60 * 60_000;

/**
 * Creates the keeper. A failed read is thrown and tried again at the next call; only a description that has merely grown old
 * is used on when it cannot be read again, because an older truth about this server is still no guess.
 */
export function keepCapabilities(calls: Calls, limits: { now(): number }): KeptCapabilities {
  let kept: { capabilities: Capabilities; untilMs: number } | undefined;

  const readOnce = shareWork(async () => {
    const answer = await calls.call({ operation: 'GET /', anonymous: true });
    if (answer.status !== 200) throw calls.failure(answer);
    const capabilities = parseDescription(parseJsonBody(answer));
    if (capabilities === null) throw badAnswer(calls.library, answer);
    kept = { capabilities, untilMs: limits.now() + KEPT_MS };
    return capabilities;
  });

  return {
    get: async (options = {}) => {
      if (kept !== undefined && limits.now() < kept.untilMs) return kept.capabilities;
      const old = kept?.capabilities;
      const shared = waitForShared(readOnce(), {
        library: calls.library,
        operation: 'GET /',
        timeoutMs: calls.patienceMs(options),
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
