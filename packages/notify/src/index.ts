export { type Delivery, deliver } from './deliver.ts';
export { buildLook, isWanted, workerObservation } from './look.ts';
export { testMessage } from './message.ts';
export { type Notifier, WATCH_EVERY_MS, buildNotifier } from './notifier.ts';
export { buildOutageNotifier } from './outage-notifier.ts';
export { addressOf } from './send-due.ts';
export type { Observation } from './observation.ts';
