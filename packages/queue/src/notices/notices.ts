import * as z from 'zod';
import { NOTIFICATION_TYPES, type NotificationMessage } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { noticesDueKey, noticesKey, noticesStoppedKey, noticesWatchKey, notifiedKey } from '../keys.ts';
import { execAll, parseStored, defineScript } from '../redis/index.ts';
import { type DeliveryNotes, openDeliveryNotes } from './delivery-notes.ts';

/** What operators were notified of last, of one topic and library. */
const notifiedSchema = z.object({
  /** The state of the last message; null: none was sent so far. */
  notified: z.string().nullable(),
  /** When the last messages were sent, at most so many as the topic may send at once. */
  recent: z.array(z.number()),
  /** The state that was seen last, and since when. */
  seen: z.object({ state: z.string(), since_ms: z.number() }),
});
export type Notified = Readonly<z.infer<typeof notifiedSchema>>;

const factSchema = z.union([z.string(), z.number(), z.null(), z.record(z.string(), z.number())]);
const messageSchema = z.object({
  type: z.enum(Object.keys(NOTIFICATION_TYPES) as (keyof typeof NOTIFICATION_TYPES)[]),
  timestamp: z.string(),
  data: z.object({
    consortium: z.string(),
    library: z.object({ id: z.string(), name: z.string() }).nullable(),
    text: z.string(),
    // A version before it had none.
    link: z.string().nullable().default(null),
    runbook: z.string(),
    facts: z.record(z.string(), factSchema),
  }),
}) satisfies z.ZodType<NotificationMessage>;

const noticeSchema = z.object({
  /** The `webhook-id`: the same at each attempt. */
  id: z.string(),
  endpoint: z.string(),
  message: messageSchema,
  queued_ms: z.number(),
  /** Attempts that failed. */
  failures: z.number(),
});

/** A message that one endpoint has not accepted yet. */
export type Notice = Readonly<z.infer<typeof noticeSchema>>;

/** A notice that this process may send now: nobody else does for a while. */
export interface ClaimedNotice {
  /** Its place: one per endpoint, topic and library. */
  readonly slot: string;
  /** Null: written by another version, or damaged. */
  readonly notice: Notice | null;
}

/** The last notification is remembered for so long after the last change. */
const NOTIFIED_LIFE_SECONDS = 90 * 24 * 3600;
/** No message is tried for longer. */
const NOTICES_LIFE_SECONDS = 7 * 24 * 3600;
const STOPPED_LIFE_SECONDS = 30 * 24 * 3600;
/** Those that are due are looked through so far in one step. */
const MOST_LOOKED = 2_000;

/**
 * KEYS 1 notified, 2 notices, 3 due; ARGV 1 field, 2 the record before (empty: none), 3 the record, 4 now, 5 life of the record,
 * 6 life of notices, then slot and notice of each message. One step: the last state and its messages never differ.
 */
const NOTIFY_LUA = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
for place = 7, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[place])
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
return 1
`;

/**
 * KEYS 1 due, 2 notices; ARGV 1 now, 2 until when nobody else may have them, 3 how many of each endpoint, 4 when those of busy endpoints
 * are looked at again, 5 ... endpoints that are busy. What is looked at and not claimed makes way, or it would hide what is behind it.
 */
const CLAIM_LUA = `
local busy, taken, claimed = {}, {}, {}
for place = 5, #ARGV do busy[ARGV[place]] = true end
for _, slot in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ${MOST_LOOKED})) do
  local endpoint = string.match(slot, '^%S+') or ''
  local count = taken[endpoint] or 0
  if busy[endpoint] then
    redis.call('ZADD', KEYS[1], ARGV[4], slot)
  elseif count < tonumber(ARGV[3]) then
    local notice = redis.call('HGET', KEYS[2], slot)
    if notice then
      taken[endpoint] = count + 1
      redis.call('ZADD', KEYS[1], ARGV[2], slot)
      table.insert(claimed, slot)
      table.insert(claimed, notice)
    else
      redis.call('ZREM', KEYS[1], slot)
    end
  else
    redis.call('ZADD', KEYS[1], ARGV[1], slot)
  end
end
return claimed
`;

/** KEYS 1 due, 2 notices; ARGV 1 slot, 2 the notice as it was claimed, 3 the notice now (empty: it is over), 4 due. A newer one stays. */
const SETTLE_LUA = `
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
end
return 1
`;

/** What operators were notified of and what is still to be sent, as all processes share it. Nothing personal. */
export interface Notices extends DeliveryNotes {
  /** Whether this process is to look for news now: one within `forMs` is. */
  startWatch(forMs: number): Promise<boolean>;
  /** By `notifiedField`; what cannot be read counts as none. */
  readNotified(): Promise<ReadonlyMap<string, NotifiedText>>;
  /**
   * Writes the state of a notification and queues the messages, in one step. False, and nothing done, where somebody else has written since
   * `before` was read. A message of the same endpoint, topic and library that was not delivered yet is replaced.
   */
  notify(change: {
    readonly field: string;
    readonly before: NotifiedText | null;
    readonly after: Notified;
    readonly notices: readonly Notice[];
    readonly nowMs: number;
  }): Promise<boolean>;
  /**
   * Claims notices that are due, `mostEach` of an endpoint at most; whoever does not settle one within `forMs` leaves it to the others.
   * Those of a `busy` endpoint are due again after `busyForMs`.
   */
  claim(how: {
    readonly nowMs: number;
    readonly forMs: number;
    readonly mostEach: number;
    readonly busy: readonly string[];
    readonly busyForMs: number;
  }): Promise<readonly Claim[]>;
  /** Removes a notice (`next` null), or keeps it for later. */
  settle(claim: Claim, next: { readonly notice: Notice; readonly dueMs: number } | null): Promise<void>;
  /** By endpoint, which address of it has stopped. */
  readStopped(): Promise<Readonly<Record<string, string>>>;
  stop(endpoint: string, address: string): Promise<void>;
  /** True where it had stopped. */
  resume(endpoint: string): Promise<boolean>;
}

interface NotifiedText {
  readonly text: string;
  readonly record: Notified | null;
}

interface Claim extends ClaimedNotice {
  readonly text: string;
}

/** The place of a topic and library; null: of the whole service. */
export const notifiedField = (topic: string, library: string | null): string => `${topic} ${library ?? ''}`;

/** Opens what is kept of messages to operators, on a connection that the caller owns. */
export function openNotices(redis: Redis): Notices {
  const notify = defineScript(redis, 'passportNotify', NOTIFY_LUA);
  const claim = defineScript(redis, 'passportClaimNotices', CLAIM_LUA);
  const settle = defineScript(redis, 'passportSettleNotice', SETTLE_LUA);
  return {
    ...openDeliveryNotes(redis),
    startWatch: async (forMs) => (await redis.set(noticesWatchKey, '1', 'PX', forMs, 'NX')) === 'OK',
    async readNotified() {
      const fields = Object.entries(await redis.hgetall(notifiedKey));
      return new Map(
        fields.map(([field, text]) => [field, { text, record: parseStored(notifiedSchema, text) }]),
      );
    },
    async notify({ field, before, after, notices, nowMs }) {
      const lives = [NOTIFIED_LIFE_SECONDS, NOTICES_LIFE_SECONDS];
      const queued = notices.flatMap((notice) => [`${notice.endpoint} ${field}`, JSON.stringify(notice)]);
      const record = [field, before?.text ?? '', JSON.stringify(after), nowMs];
      const keys = [notifiedKey, noticesKey, noticesDueKey];
      return (await notify(keys, [...record, ...lives, ...queued])) === 1;
    },
    async claim({ nowMs, forMs, mostEach, busy, busyForMs }) {
      const how = [nowMs, nowMs + forMs, mostEach, nowMs + busyForMs, ...busy];
      const found = (await claim([noticesDueKey, noticesKey], how)) as string[];
      return Array.from({ length: found.length / 2 }, (_, index) => {
        const [slot = '', text = ''] = found.slice(index * 2, index * 2 + 2);
        return { slot, text, notice: parseStored(noticeSchema, text) };
      });
    },
    async settle({ slot, text }, next) {
      const after = next === null ? ['', 0] : [JSON.stringify(next.notice), next.dueMs];
      await settle([noticesDueKey, noticesKey], [slot, text, ...after]);
    },
    readStopped: async () => redis.hgetall(noticesStoppedKey),
    async stop(endpoint, address) {
      const write = redis.multi().hset(noticesStoppedKey, endpoint, address);
      await execAll(write.expire(noticesStoppedKey, STOPPED_LIFE_SECONDS));
    },
    resume: async (endpoint) => (await redis.hdel(noticesStoppedKey, endpoint)) === 1,
  };
}
