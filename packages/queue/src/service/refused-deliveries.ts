import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { refusedDeliveriesKey } from '../keys.ts';
import { NOW_LUA, defineScript, parseFields } from '../redis/index.ts';

/**
 * Why a receiver refuses what comes in a library's name. `clock`: its own signature, at the wrong time. `library`: its own secret, under
 * another id. `signature`: nobody knows who sends it.
 */
export const REFUSAL_REASONS = ['clock', 'library', 'signature'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

const refusedSchema = z.object({
  reason: z.enum(REFUSAL_REASONS),
  /** With `clock`: negative is behind. */
  seconds_ahead: z.number(),
  count: z.number(),
  since_ms: z.number(),
  last_ms: z.number(),
});
export type RefusedDeliveries = Readonly<z.infer<typeof refusedSchema>>;

/** What one receiver refused of one library since it last wrote. */
export interface NewRefusal {
  readonly library: string;
  readonly reason: RefusalReason;
  readonly secondsAhead: number;
  readonly count: number;
}

/** A library that has sent nothing for a day is not shown any more: its desks have given up, or it was a stranger. */
const LIFE_MS = 24 * 3_600_000;

/**
 * KEYS 1 refused deliveries; ARGV 1 life; then for each library: id, reason, seconds ahead, count.
 */
const NOTE_LUA = `${NOW_LUA}
local now = nowMs()
for place = 2, #ARGV, 4 do
  local text = redis.call('HGET', KEYS[1], ARGV[place])
  local isRead, before = pcall(cjson.decode, text or '')
  local since, count = now, 0
  if isRead and type(before) == 'table' then
    since, count = tonumber(before.since_ms) or now, tonumber(before.count) or 0
  end
  redis.call('HSET', KEYS[1], ARGV[place], string.format(
    '{"reason":"%s","seconds_ahead":%d,"count":%d,"since_ms":%.0f,"last_ms":%.0f}',
    ARGV[place + 1], tonumber(ARGV[place + 2]), count + tonumber(ARGV[place + 3]), since, now))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
`;

/** The refused deliveries of all receivers, by library; `unknown` is whoever named no library of the configuration. */
export function openRefusedDeliveries(redis: Redis) {
  const note = defineScript(redis, 'passportNoteRefused', NOTE_LUA);
  return {
    /** Adds to what was refused before. */
    async note(refusals: readonly NewRefusal[]): Promise<void> {
      const args = refusals.flatMap(({ library, reason, secondsAhead, count }) => [
        library,
        reason,
        secondsAhead,
        count,
      ]);
      await note([refusedDeliveriesKey], [LIFE_MS, ...args]);
    },
    /** Something of these libraries was taken. */
    async clear(libraries: readonly string[]): Promise<void> {
      await redis.hdel(refusedDeliveriesKey, ...libraries);
    },
    listed: (): Promise<string[]> => redis.hkeys(refusedDeliveriesKey),
    /** Those of the last day. `nowMs` by Redis's clock, or one near it. */
    async read(nowMs: number): Promise<ReadonlyMap<string, RefusedDeliveries>> {
      const all = parseFields(refusedSchema, await redis.hgetall(refusedDeliveriesKey));
      return new Map([...all].filter(([, { last_ms: lastMs }]) => nowMs - lastMs < LIFE_MS));
    },
  };
}
