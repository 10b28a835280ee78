export { hasMoved, hasLostLock, promote, putOff, refuseForGood } from './jobs.ts';
export {
  type FetchTimings,
  type FetchState,
  decideFetching,
  type FetchWatch,
  startFetchWatch,
} from './fetch-watch.ts';
export { LenientQueue, LenientWorker } from './lenient-job.ts';
