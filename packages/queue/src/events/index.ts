export {
  EVENT_STATES,
  type EventFilterState,
  type ListedEvent,
  listedEventOf,
  type EventSearch,
  ANY_EVENT,
  type FoundEvents,
  findEvents,
} from './find-events.ts';
export { type FailedEvent, causeOf, listFailed } from './failed-events.ts';
export {
  type Applied,
  type LeftOut,
  type RetriedLibrary,
  type RetryPlan,
  LEFT_OUT_WORDS,
  applyPlan,
  isRetryWell,
  planRetry,
} from './retry-plan.ts';
export { type PersonRetry, retryByPerson } from './retry-by-person.ts';
