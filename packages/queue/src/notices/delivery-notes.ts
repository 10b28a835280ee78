import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { noticesFailingKey, noticesKey } from '../keys.ts';
import { parseFields, defineScript } from '../redis/index.ts';

const failingSchema = z.object({
  /** Of the first delivery that failed since the last one that did not. */
  since_ms: z.number(),
  at_ms: z.number(),
  /** `gone`: it answered 410, and nothing more is sent there. */
  kind: z.enum(['failed', 'gone']),
  /** HTTP status of the last answer; null: there was none, and `code` says why. */
  status: z.number().nullable(),
  code: z.string().nullable(),
  /** Which address of the endpoint it was, as `stop` has it. */
  address: z.string(),
});

/** An endpoint whose last delivery failed. Nothing of its address. */
export type FailingEndpoint = Readonly<z.infer<typeof failingSchema>>;

/** As long as it is remembered that an endpoint has stopped (notices.ts). */
const LIFE_SECONDS = 30 * 24 * 3600;

/** KEYS 1 failing; ARGV 1 endpoint, 2 the note, 3 its address, 4 life. What fails goes on failing since it began, at one address. */
const FAILING_LUA = `
local before = redis.call('HGET', KEYS[1], ARGV[1])
local ok, known = pcall(cjson.decode, before or '')
local note = cjson.decode(ARGV[2])
if ok and type(known) == 'table' and known.address == ARGV[3] and tonumber(known.since_ms) then note.since_ms = known.since_ms end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(note))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
`;

/** How deliveries to endpoints go, as all processes share it. */
export interface DeliveryNotes {
  noteFailure(endpoint: string, failure: Omit<FailingEndpoint, 'since_ms'>): Promise<void>;
  /** The last delivery was accepted, or the endpoint has another address. */
  forgetFailure(endpoint: string): Promise<void>;
  readFailing(): Promise<ReadonlyMap<string, FailingEndpoint>>;
  /** By endpoint, how many messages it has not accepted yet. */
  countWaiting(): Promise<ReadonlyMap<string, number>>;
}

export function openDeliveryNotes(redis: Redis): DeliveryNotes {
  const failing = defineScript(redis, 'passportNoticeFailing', FAILING_LUA);
  return {
    async noteFailure(endpoint, failure) {
      const note = JSON.stringify({ ...failure, since_ms: failure.at_ms });
      await failing([noticesFailingKey], [endpoint, note, failure.address, LIFE_SECONDS]);
    },
    async forgetFailure(endpoint) {
      await redis.hdel(noticesFailingKey, endpoint);
    },
    async readFailing() {
      return parseFields(failingSchema, await redis.hgetall(noticesFailingKey));
    },
    async countWaiting() {
      const counts = new Map<string, number>();
      for (const slot of await redis.hkeys(noticesKey)) {
        const endpoint = slot.slice(0, slot.indexOf(' '));
        counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
      }
      return counts;
    },
  };
}
