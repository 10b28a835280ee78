import type { DisclosureReceipt, Receipts } from '@passport/queue/copies';
import type { Logger } from '@passport/runtime';

/** Redis loses a second or two of what it has answered (`appendfsync everysec`), a failover what was not replicated. */
const KEPT_MS = 30_000;

interface Kept {
  readonly receipt: DisclosureReceipt;
  readonly atMs: number;
  readonly write: () => Promise<string | null>;
}

/**
 * Receipts that survive a Redis which loses its last seconds: each is remembered for half a minute and written again when
 * a lost connection is back. The mark of event and patron keeps those that were not lost from being written twice. An
 * event that Redis lost as a whole leaves a copy, and this its receipt.
 */
export function keepReceipts(
  receipts: Receipts,
  deps: {
    /** Says when a connection is lost, and when it is back. */
    readonly redis: { on(event: string, listener: () => void): unknown };
    readonly monotonicNow: () => number;
    readonly log: Logger;
  },
): Receipts {
  const { redis, monotonicNow, log } = deps;
  /** Oldest first. */
  let kept: Kept[] = [];
  let lostAtMs: number | null = null;
  /** Forgets what Redis had had for so long at that time. */
  const drop = (atMs: number): void => {
    while (kept[0] !== undefined && atMs - kept[0].atMs >= KEPT_MS) kept.shift();
  };
  const writeAgain = async (): Promise<void> => {
    if (lostAtMs === null) return;
    const atMs = lostAtMs;
    lostAtMs = null;
    drop(atMs);
    try {
      const again = kept.slice();
      for (const { write } of again) await write();
    } catch {
      lostAtMs = atMs; // lost again in the middle: the next connection does it
    }
    log.debug({ receipts: kept.length }, 'receipts written again after a lost connection');
  };
  const lost = (): void => {
    lostAtMs ??= monotonicNow();
  };
  redis.on('close', lost);
  redis.on('ready', () => void writeAgain());
  // A cluster stays open when it loses a node.
  redis.on('-node', lost);
  redis.on('+node', () => void writeAgain());
  return {
    async append(receipt: DisclosureReceipt, nowMs, keepMs) {
      const write = (): Promise<string | null> => receipts.append(receipt, nowMs, keepMs);
      // Before it is written: a Redis that is lost just then may have forgotten the event, and nobody else would know.
      const atMs = monotonicNow();
      kept.push({ receipt, atMs, write });
      const id = await write();
      // Only here, so that nothing is forgotten while Redis is away.
      drop(atMs);
      return id;
    },
    async withdraw(receipt, id) {
      kept = kept.filter((each) => each.receipt !== receipt);
      await receipts.withdraw(receipt, id);
    },
  };
}
