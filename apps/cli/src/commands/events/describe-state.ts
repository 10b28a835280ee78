import { localTime } from '@passport/runtime';
import type { EventState } from '@passport/contract';
import type { Report } from '../../program/index.ts';

type Colors = Report['colors'];

const COLORS = { done: 'green', failed: 'red', waiting: 'yellow', queued: 'cyan', working: 'cyan' } as const;

/** One of several events: on one line, or on two where a person has a terminal of some width. */
export function eventLine({ width, colors }: Report, time: string, jobId: string, about: string): string {
  return `${colors.dim(time)}  ${jobId}${width === Infinity ? '' : '\n'}  ${about}`;
}

/** One line on the state of an event: the state, why, and the result of the checkout where one was asked for. */
export function describeState(state: EventState, colors: Colors): string {
  const { outcome, reasons, checkout, waiting_for: waiting, problem } = state;
  const parts = [
    outcome,
    reasons.length === 0 ? null : reasons.join(' '),
    problem === null ? null : `${problem.library}: ${problem.what} ${problem.name ?? ''}`.trimEnd(),
    waiting === null ? null : `${waiting.library} ${waiting.reason}${nextTry(waiting)}`,
    checkout === null || checkout.result === 'NOT_ASKED'
      ? null
      : [checkout.result, ...checkout.keys].join(' '),
  ].filter((part) => part !== null);
  const about = parts.length === 0 ? '' : `  ${parts.join(' · ')}`;
  return `${colors[COLORS[state.state]](state.state.padEnd(8))}${about}  ${colors.dim(state.message)}`;
}

const nextTry = ({ next_try_at: at }: NonNullable<EventState['waiting_for']>): string =>
  at === null ? '' : `, next try ${localTime(Date.parse(at))}`;
