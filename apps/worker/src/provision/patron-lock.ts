import type { Turns } from '@passport/queue';
import type { HeldLock } from '../job/job-lock.ts';
import type { Scan } from './scan.ts';
import type { InTurn } from './ports.ts';

/** What a turn lives beside two Koha calls: longer than a copy and its loan take when all goes well. */
const TURN_LIFE_MS = 20_000;
/** A worker's slot is not kept longer than this for somebody else's turn. */
const PATIENCE_MS = 2_000;
const ASK_AGAIN_MS = 40;

export interface InTurnDeps {
  readonly turns: Turns;
  /** The longest a call to a library's Koha takes. */
  readonly timeoutMs: (library: string) => number;
  readonly newId: () => string;
  readonly monotonicNow: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** The turn ends before a write that starts now would surely be over. */
class TurnOver extends Error {
  override readonly name = 'TurnOver';
}

/**
 * One job at a time writes for one home key at one lending library. Koha counts unique attributes without a lock, so the
 * old and the new card of a patron at two desks at once could make two copies.
 */
export function buildInTurn(deps: InTurnDeps): InTurn {
  return async (scan, homeKey, lock, work) => {
    const turn = await waitForTurn(scan, homeKey, lock.signal, deps);
    if (turn === null) return null;
    // A write may wait for a token and a place before its own timeout begins.
    const lastStart = turn.endsAt - 2 * deps.timeoutMs(scan.lending);
    const held: HeldLock = {
      signal: lock.signal,
      assertHeld() {
        lock.assertHeld();
        if (deps.monotonicNow() > lastStart) throw new TurnOver();
      },
    };
    try {
      return await work(held);
    } catch (error) {
      if (error instanceof TurnOver) return null;
      throw error;
    } finally {
      await turn.giveBack().catch(() => undefined); // it runs out by itself
    }
  };
}

async function waitForTurn(
  { lending, eventId }: Scan,
  homeKey: string,
  signal: AbortSignal,
  { turns, timeoutMs, newId, monotonicNow, pause }: InTurnDeps,
): Promise<{ readonly endsAt: number; giveBack(): Promise<void> } | null> {
  const holder = { event: `${lending}.${eventId}`, run: newId() };
  const lifeMs = TURN_LIFE_MS + 2 * timeoutMs(lending);
  const until = monotonicNow() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    const askedAt = monotonicNow();
    const giveBack = await turns.take(`${lending}:${homeKey}`, holder, lifeMs);
    if (giveBack !== null) return { endsAt: askedAt + lifeMs, giveBack };
    if (monotonicNow() >= until) return null;
    await pause(ASK_AGAIN_MS);
  }
}
