import * as z from 'zod';
import type { ConsentAnswer, Decision, JobData, Question } from '@passport/contract';
import type { Redis } from '@passport/runtime';
import { IS_CANCELLED_LUA } from './cancel-marks.ts';
import { FOLLOWED_EVENT_LUA } from './followed-event.ts';
import { delayedJobsKey, idempotencyKey, jobIdOf, jobKey, jobKeyPrefix } from '../keys.ts';
import { promote } from '../bullmq/index.ts';
import { parseStored, NOW_LUA, defineScript } from '../redis/index.ts';
import type { ScanJobs } from './scan-queue.ts';

/**
 * What the patron said, or staff decided, in a field of the job's own hash for each question: it lives as long as the job, and no
 * write of the job's data takes it away.
 */
const FIELDS = {
  CONSENT: 'consent',
  HOME_CHOICE: 'decided:HOME_CHOICE',
  OVERRIDE: 'decided:OVERRIDE',
} as const satisfies Readonly<Record<'CONSENT' | Question, string>>;
type DeskQuestion = keyof typeof FIELDS;

const storedConsentSchema = z.object({
  answer: z.enum(['yes', 'no']),
  text_id: z.string(),
  operator: z.int().nullable(),
  /** When it was said, in milliseconds of the queue's clock. */
  at_ms: z.number(),
});
/** An answer as it is kept with the job. */
export type StoredConsent = z.infer<typeof storedConsentSchema>;

const storedDecisionSchema = z.object({
  /** One of the options of the question. */
  answer: z.string(),
  operator: z.int(),
  at_ms: z.number(),
});
/** A decision of staff as it is kept with the job. */
export type StoredDecision = z.infer<typeof storedDecisionSchema>;

/**
 * Keeps the answer of an event that waits for it, or of the first event where it was coalesced: the first answer holds. What was not put
 * as an option cannot be decided, and staff decide scans of their own branch only.
 * KEYS 1 idempotency key, 2 delayed jobs; ARGV 1 prefix of the library's jobs, 2 prefix of their ids, 3 event id, 4 field,
 * 5 what the event waits for, 6 answer, 7 operator or '', 8 how long ago it was said, in ms, 9 text id or '', 10 branch or ''
 * Answers {what, event id, whether the job is delayed: 0/1}
 */
const ANSWER_LUA = `${IS_CANCELLED_LUA}${FOLLOWED_EVENT_LUA}${NOW_LUA}
local id = followedEvent(KEYS[1], ARGV[3])
local job = ARGV[1] .. id
local readable, data = pcall(cjson.decode, redis.call('HGET', job, 'data') or '')
if not readable or type(data) ~= 'table' or type(data.progress) ~= 'table' then return {'unknown', id, 0} end
local is_consent = ARGV[9] ~= ''
if not is_consent and data.branch ~= ARGV[10] then return {'other_branch', id, 0} end
local kept = redis.call('HGET', job, ARGV[4])
if kept then
  local before = cjson.decode(kept)
  local same = before.answer == ARGV[6] and (before.text_id or '') == ARGV[9]
  return {same and 'recorded' or 'answered', id, redis.call('ZSCORE', KEYS[2], ARGV[2] .. id) and 1 or 0}
end
local put, waiting_for = is_consent and data.question or data.asks, data.progress.waiting_for
local waits = data.progress.state == 'waiting' and type(waiting_for) == 'table' and waiting_for.reason == ARGV[5]
if not waits or type(put) ~= 'table' or isCancelled(job) then return {'no_question', id, 0} end
if is_consent then
  if put.text_id ~= ARGV[9] then return {'other_text', id, 0} end
else
  local is_option = false
  for _, option in ipairs(put.options) do is_option = is_option or option == ARGV[6] end
  if put.question ~= ARGV[5] or not is_option then return {'no_option', id, 0} end
  -- The patron who stood there has gone, whenever a worker looks again.
  if nowMs() > tonumber(put.until_ms) then return {'no_question', id, 0} end
end
-- Nobody answers before the question: that is the fault of the sender's clock.
local at = math.max(nowMs() - tonumber(ARGV[8]), tonumber(put.put_ms) or 0)
redis.call('HSET', job, ARGV[4], cjson.encode({
  answer = ARGV[6], text_id = is_consent and ARGV[9] or nil, operator = ARGV[7] ~= '' and tonumber(ARGV[7]) or cjson.null, at_ms = at,
}))
return {'recorded', id, redis.call('ZSCORE', KEYS[2], ARGV[2] .. id) and 1 or 0}
`;

/**
 * The outcome of an answer: `recorded` also where the same one was before; `answered`: another one was. `no_option` and `other_branch`
 * are of decisions.
 */
export interface AnswerRecorded {
  readonly kind:
    'recorded' | 'answered' | 'no_question' | 'other_text' | 'no_option' | 'other_branch' | 'unknown';
  /** The event that it is about. */
  readonly eventId: string;
}

interface EventOf {
  readonly library: string;
  readonly eventId: string;
}

/** Records the answer of the patron, once, and has the event go on at once. Safe to repeat. */
export const answerConsent = (
  redis: Redis,
  queue: ScanJobs,
  event: EventOf,
  { textId, ...answer }: ConsentAnswer,
): Promise<AnswerRecorded> =>
  record(redis, queue, event, { ...answer, question: 'CONSENT', textId, branch: '' });

/** Records what staff have decided, once, and has the event go on at once. Safe to repeat. */
export const answerDecision = (
  redis: Redis,
  queue: ScanJobs,
  event: EventOf,
  { option: answer, ...decision }: Decision,
): Promise<AnswerRecorded> => record(redis, queue, event, { ...decision, answer, textId: '' });

async function record(
  redis: Redis,
  queue: ScanJobs,
  { library, eventId: id }: EventOf,
  {
    question,
    answer,
    textId,
    branch,
    operator,
    agoMs,
  }: Omit<ConsentAnswer, 'answer'> & Pick<Decision, 'branch'> & { answer: string; question: DeskQuestion },
): Promise<AnswerRecorded> {
  const keep = defineScript(redis, 'passportDeskAnswer', ANSWER_LUA);
  const ids = jobIdOf(library, '');
  const keys = [idempotencyKey(library, id), delayedJobsKey];
  const [kind, eventId, isDelayed] = (await keep(keys, [
    `${jobKeyPrefix}${ids}`,
    ids,
    id,
    FIELDS[question],
    question,
    answer,
    operator ?? '',
    Math.max(0, Math.round(agoMs)),
    textId,
    branch,
  ])) as [AnswerRecorded['kind'], string, 0 | 1];
  if (isDelayed === 1) await promote(await queue.getJob(jobIdOf(library, eventId)));
  return { kind, eventId };
}

type JobOf = Pick<JobData, 'library' | 'event_id'>;

const readField = (redis: Redis, { library, event_id: eventId }: JobOf, question: DeskQuestion) =>
  redis.hget(jobKey(jobIdOf(library, eventId)), FIELDS[question]);

/** The patron's answer that a job has got; null: none yet, or none that can be read. */
export async function readConsent(redis: Redis, job: JobOf): Promise<StoredConsent | null> {
  return parseStored(storedConsentSchema, await readField(redis, job, 'CONSENT'));
}

/** What staff have decided of a job's question; null: nothing yet, or nothing that can be read. */
export async function readDecision(
  redis: Redis,
  job: JobOf,
  question: Question,
): Promise<StoredDecision | null> {
  return parseStored(storedDecisionSchema, await readField(redis, job, question));
}

/** Whether an event that waits for this waits for somebody at the desk. */
export const isDeskQuestion = (reason: string): reason is DeskQuestion => Object.hasOwn(FIELDS, reason);

/** Has a delayed job go on at once where the answer to its question came while it was being delayed. */
export async function goOnIfAnswered(
  redis: Redis,
  queue: ScanJobs,
  job: JobOf,
  question: DeskQuestion,
): Promise<void> {
  if ((await readField(redis, job, question)) === null) return;
  await promote(await queue.getJob(jobIdOf(job.library, job.event_id)));
}
