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
export { type FailedEvent, type FailedEvents, listFailed } from './failed-events.ts';
export { type PersonRetry, retryByPerson } from './retry-by-person.ts';
