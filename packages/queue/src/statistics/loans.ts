import * as z from 'zod';
import type { Redis } from '@passport/runtime';
import { loanDaysKey, loansKey, loansLibrariesKey } from '../keys.ts';
import { defineScript, execAll } from '../redis/index.ts';
import { LIFE_SECONDS } from './statistics.ts';

/** One counting of the loans of visitors at a lending library, a job of the queue of sweeps. */
export const loansJobSchema = z.object({ kind: z.literal('loans'), library: z.string() });
export type LoansJob = z.infer<typeof loansJobSchema>;

/** What is counted, in the words of Koha's reports. */
export const LOAN_KINDS = ['checkouts', 'renewals', 'returns'] as const;
export type LoanKind = (typeof LOAN_KINDS)[number];
export type LoanSums = Readonly<Record<LoanKind, number>>;

/** Loans of the patrons of one home library at one branch of a lending library. */
export interface BranchLoans extends LoanSums {
  readonly home: string;
  readonly branch: string;
}

/** Loans of one month (of the lending library's own clock). */
export interface MonthLoans extends BranchLoans {
  readonly month: string;
  readonly lending: string;
}

/** Branches beyond what is kept apart. */
const OTHER_BRANCHES = '*';
/** Counts that one lending library may have in a month: 100 home libraries at ten branches. Beyond that, branches are counted together. */
const MOST_COUNTS = 3_000;

/**
 * Replaces one day in its month: what it had counted is taken away, and what it counts now is added, at once. So a day can be counted
 * again, by a run that died in between too. One that is closed stays as it is.
 * KEYS 1 counts of the month, 2 libraries of the month, 3 days of the library
 * ARGV 1 day, 2 library, 3 life, 4 most counts, then for each count: home, branch and kind as JSON, number
 */
const COUNT_DAY_LUA = `
local closed = redis.call('HGET', KEYS[3], 'closed')
if closed and closed >= ARGV[1] then return 0 end
for field, number in pairs(cjson.decode(redis.call('HGET', KEYS[3], ARGV[1]) or '{}')) do
  if redis.call('HINCRBY', KEYS[1], field, -number) <= 0 then redis.call('HDEL', KEYS[1], field) end
end
local counted, others = {}, nil
for n = 5, #ARGV, 2 do
  local field = ARGV[n]
  if redis.call('HEXISTS', KEYS[1], field) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
    local parts = cjson.decode(field)
    field = cjson.encode({parts[1], '${OTHER_BRANCHES}', parts[3]})
  end
  redis.call('HINCRBY', KEYS[1], field, ARGV[n + 1])
  counted[field] = (counted[field] or 0) + ARGV[n + 1]
end
redis.call('HSET', KEYS[3], ARGV[1], cjson.encode(counted))
local through = redis.call('HGET', KEYS[3], 'through')
if not through or through < ARGV[1] then redis.call('HSET', KEYS[3], 'through', ARGV[1]) end
redis.call('SADD', KEYS[2], ARGV[2])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[3]) end
return 1
`;

const DAY_MS = 24 * 3_600_000;

/** The day so many days after (or before) a day such as `2026-11-25`. */
export const addDays = (day: string, days: number): string =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, day.length);

/** How far the counting at a library has come: days, null while there is none. */
export interface LoansCounted {
  /** The last day that was counted. */
  readonly through: string | null;
  /** The last day that is not counted again. */
  readonly closed: string | null;
}

/** The counting of one library's loans, as far as it has come. */
export interface LoanDays {
  read(): Promise<LoansCounted>;
  /** The day with which this job goes on; null where it has not begun. */
  readNext(jobId: string): Promise<string | null>;
  noteNext(jobId: string, day: string): Promise<void>;
  /** Replaces what was counted of a day; nothing where it is closed. */
  count(day: string, rows: readonly BranchLoans[]): Promise<void>;
  /** Ends a job: the days up to this one are not counted again, and are not known apart any more. */
  close(day: string): Promise<void>;
}

/** Opens the counting of the loans of a lending library. */
export function openLoanDays(redis: Redis, library: string): LoanDays {
  const key = loanDaysKey(library);
  const countDay = defineScript(redis, 'passportCountLoans', COUNT_DAY_LUA);
  return {
    async read() {
      const [through = null, closed = null] = await redis.hmget(key, 'through', 'closed');
      return { through, closed };
    },
    async readNext(jobId) {
      const [day = '', ...job] = (await redis.hget(key, 'next'))?.split(' ') ?? [];
      return job.join(' ') === jobId ? day : null;
    },
    noteNext: async (jobId, day) => void (await redis.hset(key, 'next', `${day} ${jobId}`)),
    async count(day, rows) {
      const month = day.slice(0, 'YYYY-MM'.length);
      const counts = rows.flatMap(({ home, branch, ...sums }) =>
        LOAN_KINDS.flatMap((kind) =>
          sums[kind] === 0 ? [] : [JSON.stringify([home, branch, kind]), sums[kind]],
        ),
      );
      const keys = [loansKey(month, library), loansLibrariesKey(month), key];
      await countDay(keys, [day, library, LIFE_SECONDS, MOST_COUNTS, ...counts]);
    },
    async close(day) {
      const open = await redis.hkeys(key);
      const past = open.filter((field) => /^\d{4}-/.test(field) && field <= day);
      await execAll(
        redis
          .multi()
          .hset(key, 'closed', day)
          .hdel(key, 'next', ...past),
      );
    },
  };
}

/** How far the counting at each of these libraries has come. */
export async function readLoansCounted(
  redis: Redis,
  libraries: readonly string[],
): Promise<ReadonlyMap<string, LoansCounted>> {
  const read = async (library: string) => [library, await openLoanDays(redis, library).read()] as const;
  return new Map(await Promise.all(libraries.map(read)));
}

const fieldSchema = z.tuple([z.string(), z.string(), z.enum(LOAN_KINDS)]);

/** All loans of these months. */
export async function readLoans(redis: Redis, months: readonly string[]): Promise<MonthLoans[]> {
  const found = new Map<string, MonthLoans>();
  for (const month of months) {
    for (const lending of (await redis.smembers(loansLibrariesKey(month))).toSorted()) {
      for (const [field, count] of Object.entries(await redis.hgetall(loansKey(month, lending)))) {
        const [home, branch, kind] = fieldSchema.parse(JSON.parse(field));
        const name = JSON.stringify([month, lending, home, branch]);
        const row = found.get(name) ?? { month, lending, home, branch, ...NO_LOANS };
        found.set(name, { ...row, [kind]: Number(count) });
      }
    }
  }
  return [...found.values()];
}

export const NO_LOANS: LoanSums = { checkouts: 0, renewals: 0, returns: 0 };
