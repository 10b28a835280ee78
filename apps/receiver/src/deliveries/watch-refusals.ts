import { type NewRefusal, openRefusedDeliveries } from '@passport/queue/service';
import { type Logger, type Redis, translateRedisError, within } from '@passport/runtime';
import type { Unauthorized } from './authentication.ts';

/** What is refused is written so often, together: a stranger causes no command of Redis's. */
const WRITE_EVERY_MS = 2_000;
const ANSWER_MS = 1_000;

/** Tells operators, by way of Redis, which libraries the receivers refuse. */
export interface RefusalWatch {
  /** A delivery in the library's name was refused. */
  refused(library: string, why: Unauthorized): void;
  /** Something of the library's was taken. */
  taken(library: string): void;
  close(): Promise<void>;
}

/** Starts it. Without Redis, what was refused is kept until it is back: one row for each library. */
export function startRefusalWatch(deps: {
  readonly redis: Redis;
  readonly everyMs?: number;
  readonly log: Logger;
}): RefusalWatch {
  const { redis, everyMs = WRITE_EVERY_MS, log } = deps;
  const rows = openRefusedDeliveries(redis);
  const refusals = new Map<string, NewRefusal>();
  const cleared = new Set<string>();
  /** Those that a receiver has written. */
  let listed: ReadonlySet<string> = new Set();
  let running: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    if (redis.status !== 'ready') return;
    const [gone, news] = [[...cleared], [...refusals.values()]];
    cleared.clear();
    refusals.clear();
    try {
      if (gone.length > 0) await rows.clear(gone);
      if (news.length > 0) await rows.note(news);
      listed = new Set(await rows.listed());
    } catch (error) {
      for (const each of news) refusals.set(each.library, withEarlier(refusals.get(each.library), each));
      if (translateRedisError(error).kind === 'bug') log.error({ error }, 'refused deliveries not noted');
    }
  };
  const run = (): Promise<void> => {
    running ??= within(ANSWER_MS, write(), 'noting refused deliveries')
      .catch(() => undefined)
      .finally(() => {
        running = null;
      });
    return running;
  };
  const timer = setInterval(() => void run(), everyMs);
  return {
    refused(library, why) {
      if (why.reason === 'signature' && why.isOfAnotherEvent === true) return;
      // Anybody can send an old time: only the library's own signature shows that its clock is wrong.
      const isClock = why.reason === 'clock' && why.isSigned;
      const reason = why.reason === 'clock' && !isClock ? 'signature' : why.reason;
      const secondsAhead = isClock ? why.secondsAhead : 0;
      const news = { library, reason, secondsAhead, count: 1 };
      const before = refusals.get(library);
      refusals.set(library, before === undefined ? news : withEarlier(news, before));
    },
    taken(library) {
      refusals.delete(library);
      if (listed.has(library)) cleared.add(library);
    },
    async close() {
      clearInterval(timer);
      await run();
    },
  };
}

/** The newer reason, and both counts. */
const withEarlier = (newer: NewRefusal | undefined, earlier: NewRefusal): NewRefusal =>
  newer === undefined ? earlier : { ...newer, count: newer.count + earlier.count };
