import { rehearsalKey, rehearsalLockKey } from '@passport/queue/keys';
import { NOW_LUA, defineScript } from '@passport/queue/redis';
import type { Redis } from '@passport/runtime';
import { Failure } from '../../program/index.ts';

/** What a rehearsal is about to make; enough to find it again although the answer to its creation was lost. */
export type JournalEntry =
  | { readonly kind: 'run'; readonly run: string; readonly at: string; readonly libraries: readonly string[] }
  | { readonly kind: 'event'; readonly library: string; readonly id: string }
  /**
   * Between these moments of the queue's clock, scans at a self-check of the library are the rehearsal's. Noted with the latest end that it
   * can have, and once more, under the same start, with the one that it had.
   */
  | {
      readonly kind: 'kiosk';
      readonly library: string;
      readonly sinceMs: number;
      readonly untilMs: number;
    }
  /** Also for a new card of a patron that is there. */
  | { readonly kind: 'patron'; readonly library: string; readonly card: string; readonly category: string }
  /** Koha's number of a patron, from its answer: whoever is not found later is not taken for gone. */
  | { readonly kind: 'made'; readonly library: string; readonly id: number }
  | { readonly kind: 'biblio'; readonly library: string; readonly title: string }
  | { readonly kind: 'item'; readonly library: string; readonly barcode: string }
  | {
      readonly kind: 'rule';
      readonly library: string;
      readonly branch: string;
      readonly category: string;
      readonly itemType: string;
      /** Those that were not there, so that what is there by now is ours. */
      readonly names: readonly string[];
    };

/** Notes each thing before it is made. It outlives this process, and the machine it runs on. */
export interface Journal {
  /** What was begun and is not removed yet, oldest first. */
  read(): Promise<readonly JournalEntry[]>;
  /** Resolves once Redis has it: nothing is made before. Throws Failure where another rehearsal has taken over. */
  note(entry: JournalEntry): Promise<void>;
  /** What was read last is removed from the Kohas. Throws Failure where another rehearsal has taken over. */
  clear(): Promise<void>;
  /** Lets the next rehearsal begin. */
  close(): Promise<void>;
}

/** A process that was killed holds the journal for so long. */
const HELD_MS = 2_000;
const RENEW_MS = 500;
const LOOK_MS = 100;
const LONGEST_WAIT_MS = 8_000;
/** Whose it was last is known for a day: one that hung makes nothing more once another has come. */
const KNOWN_MS = 24 * 3_600_000;

/**
 * The lock has its holder, and until when it is held. A holder that hung goes on where nobody has come since.
 * KEYS 1 lock, 2 journal; ARGV 1 holder, 2 what to do, 3 ... entries, or for `clear` how many
 */
const JOURNAL_LUA = `${NOW_LUA}
local function hold() redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. (nowMs() + ${HELD_MS}), 'PX', ${KNOWN_MS}) end
local holder, held = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
if ARGV[2] == 'take' then
  local left = holder and tonumber(held) - nowMs() or 0
  -- It is held for no longer than it can be: Redis's clock was set back.
  if left > 0 and left <= ${HELD_MS} then return 0 end
  hold()
  return 1
end
-- What it has made may have come after another one's clean-up: the next start looks for it.
if holder ~= ARGV[1] then
  if #ARGV > 2 and ARGV[2] ~= 'clear' then redis.call('RPUSH', KEYS[2], unpack(ARGV, 3)) end
  return 0
end
if ARGV[2] == 'close' then return redis.call('DEL', KEYS[1]) end
hold()
if ARGV[2] == 'note' then redis.call('RPUSH', KEYS[2], ARGV[#ARGV]) end
if ARGV[2] == 'clear' then redis.call('LTRIM', KEYS[2], ARGV[3], -1) end
return 1`;

/** Waits for the journal, and holds it. Throws Failure where another rehearsal runs. */
export async function openJournal(
  redis: Redis,
  holder: string,
  sleep: (ms: number) => Promise<void>,
): Promise<Journal> {
  const script = defineScript(redis, 'passportRehearsal', JOURNAL_LUA);
  const isDone = async (what: string, ...more: readonly (string | number)[]): Promise<boolean> =>
    (await script([rehearsalLockKey, rehearsalKey], [holder, what, ...more])) === 1;
  const hold = async (what: string, ...more: readonly (string | number)[]): Promise<void> => {
    if (await isDone(what, ...more)) return;
    throw new Failure('another rehearsal has taken over: this one makes nothing more', {
      code: 'taken_over',
    });
  };
  for (let waited = 0; !(await isDone('take')); waited += LOOK_MS) {
    if (waited >= LONGEST_WAIT_MS)
      throw new Failure('another rehearsal is running: there can be one at a time', { code: 'running' });
    await sleep(LOOK_MS);
  }
  const renewal = setInterval(() => void isDone('renew').catch(() => undefined), RENEW_MS);
  /** What this process has noted and not cleared. */
  let own: string[] = [];
  let read = 0;
  return {
    async read() {
      const texts = await redis.lrange(rehearsalKey, 0, -1);
      read = texts.length;
      return texts.map((text) => JSON.parse(text) as JournalEntry);
    },
    async note(entry) {
      own.push(JSON.stringify(entry));
      try {
        await hold('note', ...own);
      } catch (error) {
        if (error instanceof Failure) own = [];
        throw error;
      }
    },
    async clear() {
      await hold('clear', read);
      own = [];
    },
    async close() {
      clearInterval(renewal);
      await isDone('close', ...own);
    },
  };
}
