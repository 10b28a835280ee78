import { type JobData, type Outcome, parseJob } from '@passport/contract';

/** What a list of jobs knows of one of them. */
export interface TitledJob {
  readonly name: string;
  readonly data: unknown;
  /** Whether a worker has begun it and not ended it. */
  readonly isBegun: boolean;
}

/** A job's name as a person understands it: `riverside: waiting for midland`, `riverside: COPIED`. Never a card. */
export function jobTitle({ name, data, isBegun }: TitledJob): string {
  const parsed = parseJob(data);
  if (parsed.kind === 'unreadable') return `${name}: cannot be read`;
  return `${parsed.job.library}: ${describe(parsed.job, isBegun)}`;
}

/** Outcomes that are understood only with the libraries they are about. */
const WITH_HOMES: readonly Outcome[] = ['AMBIGUOUS_HOME', 'HOME_UNREACHABLE'];

function describe({ progress }: JobData, isBegun: boolean): string {
  const { outcome, waiting_for, problem, reasons, homes } = progress;
  if (outcome === null) {
    if (waiting_for !== null) return `waiting for ${waiting_for.library}`;
    return isBegun ? 'being worked on' : 'waiting for a worker';
  }
  if (problem !== null) return `${outcome} (${problem.library}: ${problem.what.replace('_', ' ')})`;
  if (reasons.length > 0) return `${outcome} (${reasons.join(', ')})`;
  if (!WITH_HOMES.includes(outcome)) return outcome;
  return `${outcome} (${homes.map(({ id }) => id).join(', ')})`;
}
