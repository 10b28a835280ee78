import * as z from 'zod';

const callSchema = z.object({
  library: z.string(),
  /** `locate`, `copy` or `checkout`. */
  step: z.string(),
  /** A code: `answered`, an outcome, a result of a checkout, or why there was no answer. */
  answer: z.string(),
  /** Null where the attempt ended before it. */
  ms: z.number().nullable(),
});

/** One attempt at an event: which libraries were queried, what they answered and how long it took. Ids, codes and times only. */
export const attemptSchema = z.object({
  /** When it began, by the queue's clock. */
  at_ms: z.number(),
  ms: z.number(),
  calls: z.array(callSchema),
  /** So many more were queried than are kept. */
  others: z.int().nonnegative(),
  /** The outcome, or why it is tried again. */
  result: z.string(),
});
export type Attempt = z.infer<typeof attemptSchema>;
export type AttemptCall = z.infer<typeof callSchema>;

const MOST_ATTEMPTS = 10;
const MOST_CALLS = 12;
/** Over all attempts: an event is kept in Redis, and a consortium may have a thousand libraries. */
const MOST_CALLS_OF_ALL = 24;

/** The attempts of an event with one more. The oldest are dropped, so that what is kept stays small. */
export function withAttempt(
  before: readonly Attempt[],
  { calls, ...attempt }: Omit<Attempt, 'others'>,
): Attempt[] {
  const last = {
    ...attempt,
    calls: calls.slice(0, MOST_CALLS),
    others: Math.max(0, calls.length - MOST_CALLS),
  };
  const kept = [...before, last].slice(-MOST_ATTEMPTS);
  while (kept.length > 1 && kept.reduce((sum, each) => sum + each.calls.length, 0) > MOST_CALLS_OF_ALL)
    kept.shift();
  return kept;
}
