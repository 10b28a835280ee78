import type { JobData } from '@passport/contract';

/** The job with what it is about to send; what it sent of somebody else before is not forgotten. */
export function withSent(job: JobData, sent: NonNullable<JobData['sent']>): JobData {
  const earlier = job.sent === null || job.sent.home_key === sent.home_key ? [] : [job.sent];
  return { ...job, sent, sent_before: [...(job.sent_before ?? []), ...earlier] };
}

/** The job of which only these fields were sent in this run, in a search; what it sent of the same patron before stays. */
export function withLess(
  job: JobData,
  { sent, sent_before }: Pick<JobData, 'sent' | 'sent_before'>,
  fields: readonly string[],
): JobData {
  if (fields.length === 0 || job.sent === null) return { ...job, sent, sent_before };
  const earlier = sent?.home_key === job.sent.home_key ? sent : null;
  const only = { ...job.sent, fields: [...new Set([...(earlier?.fields ?? []), ...fields])] };
  const wasCreated = earlier !== null && earlier.create !== false;
  return { ...job, sent: wasCreated ? only : { ...only, create: false } };
}
