import * as z from 'zod';
import { isSetUpFinding } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { execAll, parseFields } from '../redis/index.ts';
import { setUpKey } from '../keys.ts';

/** One check of a library's set-up, a job of the queue of sweeps. */
export const setUpJobSchema = z.object({ kind: z.literal('set_up'), library: z.string() });
export type SetUpJob = z.infer<typeof setUpJobSchema>;

/** As long as it may be of use: a library that is checked every night replaces it. */
const LIFE_SECONDS = 60 * 24 * 3600;

/** `name`: the category, branch, attribute type, library or permission it is about, where that is a word of ours. */
const findingSchema = z.object({
  code: z.string().refine(isSetUpFinding),
  level: z.enum(['fault', 'warning', 'unchecked']),
  name: z.string().nullable(),
});
const setUpSchema = z.object({
  /** When the last check ended; null: none has yet. */
  at_ms: z.number().nullable(),
  findings: z.array(z.unknown()).transform((all) =>
    // A finding of a later version is none that this one can say.
    all.flatMap((each) => findingSchema.safeParse(each).data ?? []),
  ),
  /** The job that has begun the next check, and how often; null: none has. */
  job: z.string().nullable(),
  tries: z.number(),
  /** Since when checks could not be made; absent: the last one was. */
  unchecked_since_ms: z.number().optional(),
});

/** One thing that a nightly check found at a library: codes only. */
export type SetUpFinding = Readonly<z.infer<typeof findingSchema>>;
/** What the last nightly check found at a library, and how far the next one has come. */
export type SetUpSeen = Readonly<z.infer<typeof setUpSchema>>;

/** What does not work, of all that was found: the rest wants looking at some day, and wakes nobody. */
export const faultsOf = (seen: SetUpSeen | null | undefined): readonly SetUpFinding[] =>
  (seen?.findings ?? []).filter(({ level }) => level === 'fault');

/** Whether a finding is that nothing usable came: a check is not made then, or not to its end. */
export const isSilence = ({ code }: SetUpFinding): boolean => code === 'unreachable' || code === 'no_answer';

/** What the nightly checks found, by library. */
export async function readSetUps(redis: Redis): Promise<ReadonlyMap<string, SetUpSeen>> {
  return parseFields(setUpSchema, await redis.hgetall(setUpKey));
}

/** Writes what is known of a library's set-up, instead of what was. */
export async function writeSetUp(redis: Redis, library: string, seen: SetUpSeen): Promise<void> {
  const write = redis.multi().hset(setUpKey, library, JSON.stringify(seen));
  await execAll(write.expire(setUpKey, LIFE_SECONDS));
}

/** Forgets what was found at libraries that are not checked any more. */
export async function dropSetUps(redis: Redis, wanted: ReadonlySet<string>): Promise<void> {
  const gone = (await redis.hkeys(setUpKey)).filter((library) => !wanted.has(library));
  if (gone.length > 0) await redis.hdel(setUpKey, ...gone);
}
