import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll } from './exec-all.ts';
import { owedKey } from './keys.ts';
import { parseFields, parseStored } from './parse-stored.ts';

/** A reading is replaced by the next one. Who is not read any more is not remembered for long. */
const LIFE_SECONDS = 8 * 24 * 3600;

/** One reading of what the copies at a lending library owe, a job of the queue of sweeps. */
export const owedJobSchema = z.object({ kind: z.literal('owed'), library: z.string() });
export type OwedJob = z.infer<typeof owedJobSchema>;

const count = z.number().int().min(0);
const rowSchema = z.object({
  overdues: count,
  /** Hundredths of the lending library's currency. */
  amount: count,
  /** Since which reading it has been more than the agreement allows; null while it is not. */
  over_since_ms: z.number().nullable(),
  /** Whether the patron is restricted at home for it. */
  restricted: z.boolean(),
});
export const readingSchema = z.object({
  read_ms: z.number(),
  /** By home key. */
  rows: z.record(z.string(), rowSchema),
  /** Copies that owe something and of which no receipt says that they were made here. */
  unconfirmed: count,
});

/** What one patron owes at one lending library. */
export type OwedRow = z.infer<typeof rowSchema>;
/** What the patrons of one home library owe at one lending library. Numbers only, by home key. */
export type OwedReading = z.infer<typeof readingSchema>;

/** The last reading at a lending library of what one home's patrons owe; null where there is none. */
export async function readOwed(redis: Redis, lending: string, home: string): Promise<OwedReading | null> {
  return parseStored(readingSchema, await redis.hget(owedKey(lending), home));
}

/** The last reading at a lending library, by home. */
export async function readOwedByHome(
  redis: Redis,
  lending: string,
): Promise<ReadonlyMap<string, OwedReading>> {
  return parseFields(readingSchema, await redis.hgetall(owedKey(lending)));
}

/** Replaces what is known of a lending library. */
export async function writeOwed(
  redis: Redis,
  lending: string,
  readings: ReadonlyMap<string, OwedReading>,
): Promise<void> {
  const key = owedKey(lending);
  const texts = Object.fromEntries([...readings].map(([home, reading]) => [home, JSON.stringify(reading)]));
  const write = redis.multi().del(key);
  if (readings.size > 0) write.hset(key, texts).expire(key, LIFE_SECONDS);
  await execAll(write);
}
