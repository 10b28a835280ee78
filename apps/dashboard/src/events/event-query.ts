import { OUTCOMES, type Outcome, isFailure } from '@passport/contract';
import { EVENT_STATES, type EventFilterState } from '@passport/queue';
import { pathWith, readQuery } from '../shell/query-reader.ts';

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

/** Reads the parameters of the list. An outcome decides between the states that it can stand in. */
export function readEventQuery(
  parameters: Readonly<Record<string, unknown>>,
  libraries: readonly string[],
): EventQueryReading {
  const { problems, text, known, time } = readQuery(parameters);
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

/** The address of the list for a query; what has its default is left out. */
export const eventsPath = (basePath: string, query: Partial<EventQuery>): string =>
  pathWith(`${basePath}/events`, { ...query });
