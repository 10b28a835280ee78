import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '@passport/contract';
import {
  type Applied,
  type FailedEvent,
  LEFT_OUT_WORDS,
  type LeftOut,
  type PersonRetry,
  type RetryPlan,
  applyPlan,
  causeOf,
  isRetryWell,
  listFailed,
  planRetry,
  retryByPerson,
} from '@passport/queue/events';
import { relativeTime } from '@passport/runtime';
import { openLedger } from '@passport/queue/ledger';
import { readEventState } from '@passport/queue/scans';
import { openAudit } from '../../program/open-audit.ts';
import { describeState } from './describe-state.ts';
import type { OpenQueue } from '../../connect/with-queue.ts';
import { type CliDeps, findLibrary, type Report } from '../../program/index.ts';

/** Which events a bulk retry is about, and how it is done. */
export interface BulkWish {
  readonly at: string | null;
  readonly outcomes: readonly Outcome[];
  readonly sinceMs: number;
  readonly apply: boolean;
  readonly withLate: boolean;
  readonly perSecond: number;
}

/** Lines of a plan that are shown; the counts are of all. */
const SHOWN = 20;

const count = (number: number, one: string): string => `${number} ${number === 1 ? one : `${one}s`}`;

function printGroups(events: readonly FailedEvent[], { line, colors }: Report): void {
  const groups = new Map<string, number>();
  for (const { state } of events) {
    const group =
      `${state.library.padEnd(12)} ${colors.red(state.outcome ?? 'cut short')}  ${causeOf(state)}`.trimEnd();
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  for (const [group, number] of groups) line(`${String(number).padStart(5)}  ${group}`);
}

function printPlan(
  plan: RetryPlan,
  { nowMs, perSecond, apply }: BulkWish & { nowMs: number },
  report: Report,
) {
  const { line, colors } = report;
  for (const { jobId, scannedMs } of plan.events.slice(0, SHOWN))
    line(`${jobId}  ${colors.dim(`scanned ${relativeTime(scannedMs, nowMs)}`)}`);
  if (plan.events.length > SHOWN) line(colors.dim(`… and ${plan.events.length - SHOWN} more`));
  printGroups(plan.events, report);
  const left = new Map<LeftOut, number>();
  for (const [why] of plan.leftOut) left.set(why, (left.get(why) ?? 0) + 1);
  for (const [why, number] of left) line(`left out: ${number} ${LEFT_OUT_WORDS[why]}`);
  if (plan.unreadable > 0) line(`left out: ${plan.unreadable} written by another version, or damaged`);
  const number = plan.events.length;
  if (number === 0) line('nothing to retry');
  else if (!apply) {
    const seconds = Math.ceil(number / perSecond);
    const lasting = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
    line(`${count(number, 'event')} would be retried, in about ${lasting}: add --apply`);
  }
}

function printApplied(applied: Applied, { line, colors }: Report): void {
  const { retried, ended, failedAgain, waiting, unfinished, skipped, missing, left, stopped } = applied;
  const parts = [
    `${ended} ended`,
    ...(failedAgain.length > 0 ? [colors.red(`${failedAgain.length} failed again`)] : []),
    ...(waiting.length > 0 ? [colors.yellow(`${waiting.length} waiting`)] : []),
    ...(unfinished > 0 ? [`${unfinished} not finished yet`] : []),
    ...(skipped > 0 ? [`${skipped} no longer failed`] : []),
    ...(missing > 0 ? [colors.red(`${missing} gone, or damaged`)] : []),
  ];
  line(`${count(retried, 'event')} retried: ${parts.join(', ')}`);
  if (stopped === 'trouble')
    line(`stopped, because the cause is still there: ${count(left, 'event')} not retried`);
  const others = left === 0 ? '' : `: ${count(left, 'event')} not retried`;
  if (stopped === 'stalled') line(`stopped, because no worker takes them (passport status)${others}`);
  if (stopped === 'interrupted') line(`interrupted${others}`);
}

const eventOf = ({ jobId, state, scannedMs, failedMs }: FailedEvent) => ({
  event: jobId,
  library: state.library,
  event_id: state.event_id,
  outcome: state.outcome,
  problem: state.problem,
  scanned_at: new Date(scannedMs).toISOString(),
  failed_at: new Date(failedMs).toISOString(),
});

const counts = ({ failedAgain: _failedAgain, ...others }: Applied) => others;

/** An event to retry, by the id of its job. */
interface ToRetry {
  readonly jobId: string;
  readonly library: string;
  readonly eventId: string;
}

/** Retries one event at a time, each with a line in the audit. */
export function buildRetryOne(open: OpenQueue, deps: CliDeps): (event: ToRetry) => Promise<PersonRetry> {
  const ledger = openLedger(open.redis);
  const audit = openAudit(deps, 'retry', 'retry by an operator');
  return async ({ jobId, library, eventId }) => {
    const retry = await retryByPerson(open.queue, ledger, jobId, await open.now());
    const { kind: result } = retry;
    // Gone since it was found: nothing was done.
    if (result === 'unknown') return retry;
    audit({ event: eventId, lending: library, result });
    return retry;
  };
}

/** `passport events retry` without events: lists and counts what failed, and with `--apply` retries it at a pace. */
export async function retryMany(
  wish: BulkWish,
  open: OpenQueue,
  report: Report,
  deps: CliDeps,
): Promise<0 | 1> {
  const { at, outcomes } = wish;
  if (at !== null) findLibrary(open.consortium, at);
  const nowMs = await open.now();
  const of = { libraries: at === null ? null : [at], outcomes, sinceMs: nowMs - wish.sinceMs };
  const failed = await listFailed(open, of, open.nameOf);
  const plan = planRetry(failed, open.consortium, { nowMs, withLate: wish.withLate });
  printPlan(plan, { ...wish, nowMs }, report);
  const retryOne = buildRetryOne(open, deps);
  const applied = wish.apply
    ? await applyPlan(plan.events, {
        retryOne: ({ jobId, state }) => retryOne({ jobId, library: state.library, eventId: state.event_id }),
        read: ({ state }) => readEventState(open.redis, state.library, state.event_id, open.nameOf),
        paceMs: 1_000 / wish.perSecond,
        now: deps.now,
        pause: (ms) => sleep(ms, undefined, { signal: deps.signal }).catch(() => undefined),
        isOver: () => deps.signal.aborted,
        report: ({ jobId }, state) => report.line(`${jobId}  ${describeState(state, report.colors)}`),
      })
    : null;
  if (applied !== null && plan.events.length > 0) printApplied(applied, report);
  report.json({
    events: plan.events.map(eventOf),
    left_out: plan.leftOut.map(([why, event]) => ({ ...eventOf(event), why })),
    unreadable: plan.unreadable,
    applied: applied === null ? null : { ...counts(applied), failed_again: applied.failedAgain },
  });
  return applied === null || isRetryWell(applied) ? 0 : 1;
}
