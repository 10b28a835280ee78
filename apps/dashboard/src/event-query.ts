import { OUTCOMES, type Outcome, isFailure } from '@passport/contract';
import { EVENT_STATES, type EventFilterState } from '@passport/queue';

/** Which events the list is to show, as its address says it. */
export interface EventQuery {
  readonly state: EventFilterState;
  /** A lending library. */
  readonly library: string | null;
  readonly outcome: Outcome | null;
  /** When it ended, `YYYY-MM-DDTHH:MM` in UTC. */
  readonly from: string | null;
  readonly until: string | null;
  /** Where the page begins. */
  readonly after: string | null;
}

/** A query, and what in it cannot be understood: the field, and what it takes. */
export interface EventQueryReading {
  readonly query: EventQuery;
  readonly problems: readonly string[];
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/;

/** Reads the parameters of the list. An outcome decides between the states that it can stand in. */
export function readEventQuery(
  parameters: Readonly<Record<string, unknown>>,
  libraries: readonly string[],
): EventQueryReading {
  const problems: string[] = [];
  const text = (name: string): string | null => {
    const value = parameters[name];
    if (value === undefined || value === '') return null;
    if (typeof value === 'string') return value;
    problems.push(`${name} is there more than once.`);
    return null;
  };
  const known = <T extends string>(name: string, all: readonly T[], what: string): T | null => {
    const value = text(name);
    const found = all.find((each) => each === value) ?? null;
    if (value !== null && found === null) problems.push(`${name} is ${what}.`);
    return found;
  };
  const time = (name: string): string | null => {
    const value = text(name);
    if (value === null || timeOf(value) !== null) return value;
    problems.push(`${name} is no time such as 2026-11-26T14:30.`);
    return null;
  };
  const outcome = known('outcome', OUTCOMES, 'no outcome');
  const state = known('state', EVENT_STATES, `none of ${EVENT_STATES.join(', ')}`);
  return {
    query: {
      state: outcome === null ? (state ?? 'failed') : isFailure(outcome) ? 'failed' : 'done',
      library: known('library', libraries, 'no library'),
      outcome,
      from: time('from'),
      until: time('until'),
      after: text('after'),
    },
    problems,
  };
}

/** Milliseconds of a time in UTC; null when it is none. */
export function timeOf(text: string): number | null {
  if (!TIME.test(text)) return null;
  const ms = Date.parse(`${text}:00Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** The address of the list for a query; what has its default is left out. */
export function eventsPath(basePath: string, query: Partial<EventQuery>): string {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== null);
  const text = new URLSearchParams(entries).toString();
  return `${basePath}/events${text === '' ? '' : `?${text}`}`;
}
