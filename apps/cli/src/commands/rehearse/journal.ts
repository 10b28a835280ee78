import { rehearsalKey, rehearsalLockKey } from '@passport/queue/keys';
import type { Redis } from '@passport/runtime';
import { Failure } from '../../program/index.ts';

/** What a rehearsal is about to make; enough to find it again although the answer to its creation was lost. */
export type JournalEntry =
  | { readonly kind: 'run'; readonly run: string; readonly at: string; readonly libraries: readonly string[] }
  | { readonly kind: 'event'; readonly library: string; readonly id: string }
  /** From this moment of the queue's clock on, scans at a self-check of the library are the rehearsal's. */
  | { readonly kind: 'kiosk'; readonly library: string; readonly sinceMs: number }
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
  /** Everything that was noted is removed from the Kohas. */
  clear(): Promise<void>;
  /** Lets the next rehearsal begin. */
  close(): Promise<void>;
}

/** A process that was killed holds the journal for so long, and one that hangs makes nothing more once another has come. */
const HELD_MS = 2_000;
const RENEW_MS = 500;
const LOOK_MS = 100;
const LONGEST_WAIT_MS = 8_000;

/** KEYS 1 lock, 2 journal; ARGV 1 holder, 2 entry, 3 life in milliseconds. A process that hung goes on where nobody has come since. */
const NOTE = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return redis.call('RPUSH', KEYS[2], ARGV[2])`;
/** KEYS 1 lock; ARGV 1 holder, 2 life in milliseconds, 0: give it up */
const HOLD = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Waits for the journal, and holds it. Throws Failure where another rehearsal runs. */
export async function openJournal(
  redis: Redis,
  holder: string,
  sleep: (ms: number) => Promise<void>,
): Promise<Journal> {
  const take = async (): Promise<boolean> =>
    (await redis.set(rehearsalLockKey, holder, 'PX', HELD_MS, 'NX')) === 'OK';
  for (let waited = 0; !(await take()); waited += LOOK_MS) {
    if (waited >= LONGEST_WAIT_MS)
      throw new Failure('another rehearsal is running: there can be one at a time', { code: 'running' });
    await sleep(LOOK_MS);
  }
  const hold = (ms: number): Promise<unknown> => redis.eval(HOLD, 1, rehearsalLockKey, holder, ms);
  const renewal = setInterval(() => void hold(HELD_MS).catch(() => undefined), RENEW_MS);
  return {
    async read() {
      const texts = await redis.lrange(rehearsalKey, 0, -1);
      return texts.map((text) => JSON.parse(text) as JournalEntry);
    },
    async note(entry) {
      const noted = await redis.eval(
        NOTE,
        2,
        rehearsalLockKey,
        rehearsalKey,
        holder,
        JSON.stringify(entry),
        HELD_MS,
      );
      if (noted === 0)
        throw new Failure('another rehearsal has taken over: this one makes nothing more', {
          code: 'taken_over',
        });
    },
    async clear() {
      await redis.del(rehearsalKey);
    },
    async close() {
      clearInterval(renewal);
      await hold(0);
    },
  };
}
