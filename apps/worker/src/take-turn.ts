import type { Turns } from '@passport/queue';
import type { TakeTurn } from './story-ports.ts';

/** Longer than any copy step takes: look, create, look again, each within Koha's timeout. */
const TURN_LIFE_MS = 20_000;
/** A worker's slot is not kept longer than this for somebody else's turn. */
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 40;

/**
 * Waits a little for the turn of one home key at one lending library. Koha counts unique attributes without a lock, so
 * the old and the new card of a patron at two desks at once could make two copies.
 */
export function buildTakeTurn(deps: {
  readonly turns: Turns;
  readonly newHolder: () => string;
  readonly monotonicNow: () => number;
  readonly pause: (ms: number) => Promise<void>;
}): TakeTurn {
  const { turns, newHolder, monotonicNow, pause } = deps;
  return async (lending, homeKey, signal) => {
    const holder = newHolder();
    const until = monotonicNow() + PATIENCE_MS;
    for (;;) {
      signal.throwIfAborted();
      const giveBack = await turns.take(`${lending}:${homeKey}`, holder, TURN_LIFE_MS);
      if (giveBack !== null) return giveBack;
      if (monotonicNow() >= until) return null;
      await pause(ASK_AGAIN_MS);
    }
  };
}
