import type { QueueJob, QueueJobJson } from '@bull-board/api/typings/app';
import { type EventState, eventStateOf, parseJob } from '@passport/contract';
import { jobTitle } from './job-title.ts';
import { adviceOn } from './outcome-table.ts';

/** A job as BullMQ gives it, as far as the board is concerned. */
export interface QueuedJob {
  getState(): Promise<unknown>;
  toJSON(): QueueJobJson;
}

/** What the board may show of a scan, beside its state. */
const SHOWN_OPTIONS = ['priority', 'delay', 'attempts'];

/**
 * A scan as the board sees it: its state in the contract's words, nothing encrypted, and no text that a library or a
 * bug wrote. It can only be looked at: whoever acts goes through the person actions.
 */
export function boardJob(job: QueuedJob, nameOf: (library: string) => string): QueueJob {
  const json = shown(job.toJSON(), nameOf);
  return {
    opts: {},
    toJSON: () => json,
    getState: () => job.getState() as ReturnType<QueueJob['getState']>,
    promote: refuse,
    remove: refuse,
    retry: refuse,
  };
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('the board itself changes nothing'));
}

function shown(json: QueueJobJson, nameOf: (library: string) => string): QueueJobJson {
  const isBegun = Boolean(json.processedOn) && !json.finishedOn;
  const state = shownState(json.data, isBegun, nameOf);
  return {
    id: json.id,
    name: jobTitle({ name: json.name, data: json.data, isBegun }),
    timestamp: json.timestamp,
    attemptsMade: json.attemptsMade,
    progress: 0,
    data: { ...state, ...shownData(json.data) },
    returnvalue: null,
    stacktrace: [],
    failedReason: shownReason(json.failedReason, state),
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
    card: job.sealed_card === null ? 'deleted' : 'encrypted',
    item: itemState(job),
    retried_at: job.retried === null ? null : new Date(job.retried.at_ms).toISOString(),
  };
}

function itemState(job: { item_asked: boolean; sealed_item: string | null }): string {
  if (!job.item_asked) return 'none waits';
  return job.sealed_item === null ? 'deleted' : 'encrypted';
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
