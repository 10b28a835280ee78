import type { QueueJob, QueueJobJson } from '@bull-board/api/typings/app';
import { type EventState, eventStateOf, type JobData, type Outcome, parseJob } from '@passport/contract';
import { reportSchema } from '@passport/queue/reports';
import { adviceOn } from '../outcomes/outcome-advice.ts';

/** A job as BullMQ gives it, as far as the board is concerned. */
export interface QueuedJob {
  getState(): Promise<unknown>;
  toJSON(): QueueJobJson;
}

/** What the board says of a job beside its times and numbers. */
type Described = Pick<QueueJobJson, 'name' | 'data' | 'failedReason'>;

/** What the board may show of a job's options. */
const SHOWN_OPTIONS = ['priority', 'delay', 'attempts'];

/**
 * A scan as the board sees it: its state in the contract's words, nothing encrypted, and no text that a library or a
 * bug wrote. It can only be looked at: whoever acts goes through the person actions.
 */
export function boardScan(job: QueuedJob, nameOf: (library: string) => string): QueueJob {
  return onlyShown(job, (json) => describeScan(json, nameOf));
}

/** A report to a Koha as the board sees it: of which event, and since when it waits. */
export function boardReport(job: QueuedJob): QueueJob {
  return onlyShown(job, describeReport);
}

function onlyShown(job: QueuedJob, describe: (json: QueueJobJson) => Described): QueueJob {
  const json = job.toJSON();
  const shown = { ...numbersOf(json), ...describe(json) };
  return {
    opts: {},
    toJSON: () => shown,
    getState: () => job.getState() as ReturnType<QueueJob['getState']>,
    promote: refuse,
    remove: refuse,
    retry: refuse,
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the board itself changes nothing'));
}

function numbersOf(json: QueueJobJson) {
  return {
    id: json.id,
    timestamp: json.timestamp,
    attemptsMade: json.attemptsMade,
    progress: 0,
    returnvalue: null,
    stacktrace: [],
    opts: shownOptions(json.opts),
    ...definedOnly({
      processedOn: json.processedOn,
      finishedOn: json.finishedOn,
      delay: json.delay,
      priority: json.priority,
      attemptsStarted: json.attemptsStarted,
      stalledCounter: json.stalledCounter,
    }),
  };
}

function describeScan(json: QueueJobJson, nameOf: (library: string) => string): Described {
  const isBegun = Boolean(json.processedOn) && !json.finishedOn;
  const state = shownState(json.data, isBegun, nameOf);
  return {
    name: jobTitle({ name: json.name, data: json.data, isBegun }),
    data: { ...state, ...shownData(json.data) },
    failedReason: shownReason(json.failedReason, state),
  };
}

function describeReport({ name, data, failedReason }: QueueJobJson): Described {
  const report = reportSchema.safeParse(data).data;
  const hasFailed = failedReason !== undefined && failedReason !== '';
  return {
    name:
      report === undefined ? `${name}: cannot be read` : `${report.library}: report of ${report.event_id}`,
    data:
      report === undefined
        ? {}
        : {
            library: report.library,
            event_id: report.event_id,
            waits_since: new Date(report.since_ms).toISOString(),
          },
    failedReason: hasFailed ? 'The Koha did not accept it: see the log of the worker.' : '',
  };
}

/** The list does not show whether a waiting job is being tried again at this moment: then it says waiting. */
function shownState(data: unknown, isBegun: boolean, nameOf: (library: string) => string): EventState | null {
  const parsed = parseJob(data);
  if (parsed.kind === 'unreadable') return null;
  return eventStateOf(parsed.job, isBegun && parsed.job.progress.state === 'queued', nameOf);
}

function shownData(data: unknown): object {
  const parsed = parseJob(data);
  if (parsed.kind === 'unreadable') return { cannot_be_read: parsed.fields };
  const { job } = parsed;
  return {
    branch: job.branch,
    interface: job.interface,
    received_at: new Date(job.received_ms).toISOString(),
    card: job.encrypted_card === null ? 'deleted' : 'encrypted',
    item: itemState(job),
    retried_at: job.retried === null ? null : new Date(job.retried.at_ms).toISOString(),
  };
}

function itemState(job: { checkout_requested: boolean; encrypted_item: string | null }): string {
  if (!job.checkout_requested) return 'none waits';
  return job.encrypted_item === null ? 'deleted' : 'encrypted';
}

/** A failure with an outcome is described with what to do; what else went wrong is for the log. */
function shownReason(reason: string | undefined, state: EventState | null): string {
  if (reason === undefined || reason === '') return '';
  if (state === null || state.outcome === null)
    return 'An attempt ended in an error: see the log of the worker.';
  return [state.message, adviceOn(state)].filter((sentence) => sentence !== null).join(' ');
}

function shownOptions(options: unknown): object {
  if (typeof options !== 'object' || options === null) return {};
  return Object.fromEntries(Object.entries(options).filter(([key]) => SHOWN_OPTIONS.includes(key)));
}

function definedOnly<T extends object>(object: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as Partial<{ [K in keyof T]: NonNullable<T[K]> }>;
}

/** What a list of jobs knows of one of them. */
interface TitledJob {
  readonly name: string;
  readonly data: unknown;
  /** Whether a worker has begun it and not ended it. */
  readonly isBegun: boolean;
}

/** A job's name as a person understands it: `riverside: waiting for midland`, `riverside: COPIED`. Never a card. */
function jobTitle({ name, data, isBegun }: TitledJob): string {
  const parsed = parseJob(data);
  if (parsed.kind === 'unreadable') return `${name}: cannot be read`;
  return `${parsed.job.library}: ${describeProgress(parsed.job, isBegun)}`;
}

/** Outcomes that are understood only with the libraries they are about. */
const WITH_HOMES: readonly Outcome[] = ['AMBIGUOUS_HOME', 'HOME_UNREACHABLE'];

function describeProgress({ progress }: JobData, isBegun: boolean): string {
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
