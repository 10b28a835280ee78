import * as z from 'zod';
import type { ConsentAnswer, JobData } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { IS_CANCELLED_LUA } from './cancel-marks.ts';
import { FOLLOWED_EVENT_LUA } from './followed-event.ts';
import { delayedJobsKey, idempotencyKey, jobIdOf, jobKey, jobKeyPrefix } from '../keys.ts';
import { promote } from '../bullmq/index.ts';
import { parseStored, NOW_LUA, defineScript } from '../redis/index.ts';
import type { ScanJobs } from './scan-queue.ts';

/**
 * What the patron said, in a field of the job's own hash: it lives as long as the job, and no write of the job's data takes it away.
 */
const FIELD = 'consent';

const storedSchema = z.object({
  answer: z.enum(['yes', 'no']),
  text_id: z.string(),
  operator: z.int().nullable(),
  /** When it was said, in milliseconds of the queue's clock. */
  at_ms: z.number(),
});
/** An answer as it is kept with the job. */
export type StoredConsent = z.infer<typeof storedSchema>;

/**
 * Keeps the answer of an event that waits for it, or of the first event where it was coalesced: the first answer holds.
 * KEYS 1 idempotency key, 2 delayed jobs; ARGV 1 prefix of the library's jobs, 2 prefix of their ids, 3 event id, 4 text id,
 * 5 `yes` or `no`, 6 operator or '', 7 how long ago it was said, in ms
 * Answers {what, event id, whether the job is delayed: 0/1}
 */
const ANSWER_LUA = `${IS_CANCELLED_LUA}${FOLLOWED_EVENT_LUA}${NOW_LUA}
local id = followedEvent(KEYS[1], ARGV[3])
local job = ARGV[1] .. id
local readable, data = pcall(cjson.decode, redis.call('HGET', job, 'data') or '')
if not readable or type(data) ~= 'table' or type(data.progress) ~= 'table' then return {'unknown', id, 0} end
local kept = redis.call('HGET', job, '${FIELD}')
if kept then
  local before = cjson.decode(kept)
  local same = before.answer == ARGV[5] and before.text_id == ARGV[4]
  return {same and 'recorded' or 'answered', id, redis.call('ZSCORE', KEYS[2], ARGV[2] .. id) and 1 or 0}
end
local question, waiting_for = data.question, data.progress.waiting_for
local waits = data.progress.state == 'waiting' and type(waiting_for) == 'table' and waiting_for.reason == 'CONSENT'
if not waits or type(question) ~= 'table' or isCancelled(job) then return {'no_question', id, 0} end
if question.text_id ~= ARGV[4] then return {'other_text', id, 0} end
-- Nobody answers before the question: that is the fault of the sender's clock.
local at = math.max(nowMs() - tonumber(ARGV[7]), tonumber(question.put_ms) or 0)
redis.call('HSET', job, '${FIELD}', cjson.encode({
  answer = ARGV[5], text_id = ARGV[4], operator = ARGV[6] ~= '' and tonumber(ARGV[6]) or cjson.null, at_ms = at,
}))
return {'recorded', id, redis.call('ZSCORE', KEYS[2], ARGV[2] .. id) and 1 or 0}
`;

/** The outcome of an answer: `recorded` also where the same one was before; `answered`: another one was. */
export interface ConsentRecorded {
  readonly kind: 'recorded' | 'answered' | 'no_question' | 'other_text' | 'unknown';
  /** The event that it is about. */
  readonly eventId: string;
}

/** Records the answer of the patron, once, and has the event go on at once. Safe to repeat. */
export async function answerConsent(
  redis: Redis,
  queue: ScanJobs,
  event: { readonly library: string; readonly eventId: string },
  { answer, textId, operator, agoMs }: ConsentAnswer,
): Promise<ConsentRecorded> {
  const record = defineScript(redis, 'passportConsent', ANSWER_LUA);
  const ids = jobIdOf(event.library, '');
  const keys = [idempotencyKey(event.library, event.eventId), delayedJobsKey];
  const [kind, eventId, isDelayed] = (await record(keys, [
    `${jobKeyPrefix}${ids}`,
    ids,
    event.eventId,
    textId,
    answer,
    operator ?? '',
    Math.max(0, Math.round(agoMs)),
  ])) as [ConsentRecorded['kind'], string, 0 | 1];
  if (isDelayed === 1) await promote(await queue.getJob(jobIdOf(event.library, eventId)));
  return { kind, eventId };
}

/** The answer that a job has got; null: none yet, or none that can be read. */
export async function readConsent(
  redis: Redis,
  { library, event_id: eventId }: Pick<JobData, 'library' | 'event_id'>,
): Promise<StoredConsent | null> {
  return parseStored(storedSchema, await redis.hget(jobKey(jobIdOf(library, eventId)), FIELD));
}

/** Has a delayed job go on at once where its answer came while it was being delayed. */
export async function goOnIfAnswered(
  redis: Redis,
  queue: ScanJobs,
  job: Pick<JobData, 'library' | 'event_id'>,
): Promise<void> {
  if ((await readConsent(redis, job)) === null) return;
  await promote(await queue.getJob(jobIdOf(job.library, job.event_id)));
}
