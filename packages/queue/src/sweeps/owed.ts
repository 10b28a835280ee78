import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll, parseFields, parseStored } from '../redis/index.ts';
import { owedKey, owedProgressKey } from '../keys.ts';

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

/** Longer than the attempts of a job may take that goes on with it. */
const PROGRESS_LIFE_SECONDS = 24 * 3600;

const pageSchema = z.object({
  read_ms: z.number(),
  /** How many rows it had. */
  read: count,
  /** After which number the next page begins; null: there is none. */
  next: count.nullable(),
  rows: z.array(z.object({ patronId: count, homeKey: z.string(), overdues: z.number(), amount: z.number() })),
});
/** A page of what copies owe, without the rows that are nobody's. */
export type OwedPage = Readonly<z.infer<typeof pageSchema>>;

/** How far a reading has come: the pages that were read, and the homes that were dealt with. */
export interface ReadSoFar {
  readonly pages: readonly OwedPage[];
  readonly homes: ReadonlyMap<string, OwedReading>;
}

export const NOTHING_READ: ReadSoFar = { pages: [], homes: new Map() };

/** Keeps how far the reading of one job has come, a page and a home at a time: whoever runs it next goes on from there. */
export interface OwedProgress {
  read(): Promise<ReadSoFar>;
  addPage(index: number, page: OwedPage): Promise<void>;
  addHome(home: string, reading: OwedReading): Promise<void>;
  clear(): Promise<void>;
}

const PAGE = 'page.';
const HOME = 'home.';

/** Opens the progress of a job. The caller bounds it. */
export function openOwedProgress(redis: Redis, jobId: string): OwedProgress {
  const key = owedProgressKey(jobId);
  const add = (field: string, value: unknown): Promise<unknown> =>
    execAll(redis.multi().hset(key, field, JSON.stringify(value)).expire(key, PROGRESS_LIFE_SECONDS));
  return {
    async read() {
      const fields = Object.entries(await redis.hgetall(key));
      const named = (prefix: string): Record<string, string> =>
        Object.fromEntries(
          fields.flatMap(([name, text]) =>
            name.startsWith(prefix) ? [[name.slice(prefix.length), text]] : [],
          ),
        );
      const pages = [...parseFields(pageSchema, named(PAGE))].toSorted(
        ([one], [other]) => Number(one) - Number(other),
      );
      return { pages: pages.map(([, page]) => page), homes: parseFields(readingSchema, named(HOME)) };
    },
    addPage: async (index, page) => void (await add(`${PAGE}${index}`, page)),
    addHome: async (home, reading) => void (await add(`${HOME}${home}`, reading)),
    clear: async () => void (await redis.del(key)),
  };
}
