import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { execAll } from './exec-all.ts';
import { owedProgressKey } from './keys.ts';
import { type OwedReading, readingSchema } from './owed.ts';
import { parseFields } from './parse-stored.ts';

/** Longer than the attempts of a job may take that goes on with it. */
const LIFE_SECONDS = 24 * 3600;

const count = z.number().int().min(0);
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
    execAll(redis.multi().hset(key, field, JSON.stringify(value)).expire(key, LIFE_SECONDS));
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
