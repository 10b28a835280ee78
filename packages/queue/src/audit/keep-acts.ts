import { type Redis, within, type Lifecycle, type Logger, auditedLog } from '@passport/runtime';
import { type Act, type ActSource, actOf, kindOf, streamOf } from './act.ts';
import { auditKey, auditStreamsKey } from '../keys.ts';

/** How many are kept of each kind: of one account, and of nobody in particular. Older ones are dropped. */
const MOST_KEPT = {
  account: { acts: 5_000, refusals: 1_000 },
  nobody: { acts: 20_000, refusals: 5_000 },
} as const;
/** Different ones that wait for Redis, in all and in one stream; what is beyond stays in the log alone. */
const MOST_WAITING = { all: 2_000, stream: 1_000 } as const;
/** A process that keeps nothing any more leaves nothing behind for ever; retention.audit is at most ten years. */
const LIFE_SECONDS = 10 * 366 * 24 * 3600;

/** Keeps what is done in Redis, beside the log, for `passport audit` and the dashboard. */
export interface ActKeeper {
  /** Takes an audit line of the log. Never throws and waits for nothing: Redis has it a little later, when it is there. */
  readonly keep: (line: Readonly<Record<string, unknown>>) => void;
  /** Tries for so long at most, and returns of how many lines Redis has not said that it has them: the log alone is sure to. */
  close(withinMs: number): Promise<number>;
}

interface WaitingAct {
  readonly act: Act;
  readonly sinceMs: number;
  count: number;
}

/**
 * Opens a keeper, which writes each `everyMs`. Lines that say the same within that time are one entry with their number: a command that
 * goes through thousands of copies is a few entries. Without Redis the entries wait, up to a limit.
 */
export function openActKeeper(deps: {
  readonly redis: Redis;
  readonly source: ActSource;
  readonly everyMs: number;
  readonly monotonicNow: () => number;
  /** Called with the number of lines that stay in the log alone, when it grows. */
  readonly onLost: (lines: number) => void;
}): ActKeeper {
  const { redis, source, everyMs, monotonicNow, onLost } = deps;
  let waiting = new Map<string, WaitingAct>();
  let waitingIn = new Map<string, number>();
  /** Sent to Redis and not answered yet. */
  let sent: readonly WaitingAct[] = [];
  let writing: Promise<void> | null = null;
  let lost = 0;

  const add = (act: Act, sinceMs: number, count: number): void => {
    const name = JSON.stringify(act);
    const same = waiting.get(name);
    if (same !== undefined) {
      same.count += count;
      return;
    }
    const stream = streamOf(act);
    const before = waitingIn.get(stream) ?? 0;
    if (waiting.size >= MOST_WAITING.all || before >= MOST_WAITING.stream) {
      lost += count;
      return;
    }
    waiting.set(name, { act, sinceMs, count });
    waitingIn.set(stream, before + 1);
  };
  const takeWaiting = (): readonly WaitingAct[] => {
    const taken = [...waiting.values()];
    waiting = new Map();
    waitingIn = new Map();
    return taken;
  };
  const write = async (): Promise<void> => {
    if (waiting.size === 0 || redis.status !== 'ready') return;
    const batch = takeWaiting();
    sent = batch;
    // Without an answer it may be there all the same: twice is better than never.
    const unwritten = await writeActs(redis, batch, monotonicNow()).catch(() => batch);
    sent = [];
    if (unwritten.length === 0) {
      if (lost > 0) onLost(lost);
      lost = 0;
      return;
    }
    const later = takeWaiting();
    for (const { act, sinceMs, count } of [...unwritten, ...later]) add(act, sinceMs, count);
  };
  const flush = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  };
  const timer = setInterval(() => void flush(), everyMs).unref();

  return {
    keep(line) {
      const act = actOf(line, source);
      if (act !== null) add(act, monotonicNow(), 1);
    },
    async close(withinMs) {
      clearInterval(timer);
      // One that is under way has taken only what had come by then.
      const all = flush().then(flush);
      await within(withinMs, all, 'keeping acts').catch(() => undefined);
      return [...sent, ...waiting.values()].reduce((sum, { count }) => sum + count, lost);
    },
  };
}

/** The time of an entry is Redis's; how long it has waited until then is part of it. Returns those that Redis refused. */
async function writeActs(
  redis: Redis,
  batch: readonly WaitingAct[],
  nowMs: number,
): Promise<readonly WaitingAct[]> {
  const writes = redis.multi();
  const streams = new Set<string>();
  for (const { act, sinceMs, count } of batch) {
    const [kind, stream] = [kindOf(act), streamOf(act)];
    const most = MOST_KEPT[stream === kind ? 'nobody' : 'account'][kind];
    const entry = { ...act, count, late_ms: Math.max(0, Math.round(nowMs - sinceMs)) };
    writes.xadd(auditKey(stream), 'MAXLEN', most, '*', 'act', JSON.stringify(entry));
    streams.add(stream);
  }
  writes.sadd(auditStreamsKey, ...streams).expire(auditStreamsKey, LIFE_SECONDS);
  for (const stream of streams) writes.expire(auditKey(stream), LIFE_SECONDS);
  const replies = await writes.exec();
  // Redis does not take back what succeeded of a transaction; a second entry would be counted as a second act.
  return batch.filter((_, place) => replies?.[place]?.[0] !== null);
}

/** The log whose audit lines are kept in Redis, too, until `lifecycle` ends; they are there a little later. */
export function startAudit({
  closeWithinMs,
  lifecycle,
  log,
  ...keeping
}: Omit<Parameters<typeof openActKeeper>[0], 'onLost'> & {
  /** How long the last lines may take. */
  readonly closeWithinMs: number;
  readonly lifecycle: Lifecycle;
  readonly log: Logger;
}): Logger {
  const acts = openActKeeper({
    ...keeping,
    onLost: (lines) => log.warn({ left_out: lines }, 'audit lines are in the log, but not in the audit view'),
  });
  lifecycle.own('acts', () => acts.close(closeWithinMs));
  return auditedLog(log, acts.keep);
}
