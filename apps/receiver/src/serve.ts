import type { ReceiverConfig } from '@passport/config';
import { parseWebhookSecret } from '@passport/contract';
import { CLOCK_KEY } from '@passport/queue/keys';
import { openInvitations } from '@passport/queue/joining';
import { queueMetrics, readRedis, redisMetrics } from '@passport/queue/metrics';
import { buildHasWorker } from '@passport/queue/processes';
import type { ReplicaCheck } from '@passport/queue/redis';
import { type ScanJobs, readQueue } from '@passport/queue/scans';
import {
  type Logger,
  type MetricsRegistry,
  type Redis,
  type Tracing,
  createEncryption,
  readRedisTime,
} from '@passport/runtime';
import { type Acceptance, acceptEvent, tracedAccept } from './deliveries/accept-event.ts';
import { type Delivery, type ReportingLibrary, buildAuthentication } from './deliveries/authentication.ts';
import { UNKNOWN, eventMetrics } from './deliveries/event-metrics.ts';
import type { EventSink } from './deliveries/event-sink.ts';
import { buildJobMaker } from './deliveries/job-maker.ts';
import { buildNoteSeen } from './deliveries/note-seen.ts';
import { type Cancellation, cancelScan } from './follow-ups/cancel-scan.ts';
import { type ElsewhereGiven, giveElsewhere } from './follow-ups/patron-elsewhere.ts';
import { type StatusGiven, buildReadLibraryStatus, giveStatus } from './follow-ups/library-status.ts';
import { type JoinAnswer, takeJoin } from './joining/take-join.ts';
import { type StateRead, buildReadState } from './follow-ups/read-state.ts';
import { type AnswerTaken, takeConsent, takeDecision } from './follow-ups/take-answer.ts';

/** A desk waits: what Redis has not done by then is answered 503, and the sender tries again. */
export const REDIS_DEADLINE_MS = 2_000;
/** What an alert looks for among the results of deliveries (deploy/prometheus/alerts.yml), and what goes well. */
const ALERTING_RESULTS = ['accepted', 'unavailable', 'unauthorized', 'rate_limited', 'backlog_full'];

/** What a receiver keeps while its configuration is replaced. */
export interface ReceiverParts {
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly sink: EventSink;
  /** Null: nothing waits for a replica. */
  readonly replicated: ReplicaCheck | null;
  readonly tracing: Tracing;
  readonly nowSeconds: () => number;
  readonly monotonicNow: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of the receiver. */
  readonly version: string;
  readonly log: Logger;
}

/** How deliveries are answered under one configuration. A request that has begun is answered by the one that it began under. */
export interface Serving {
  readonly libraries: number;
  isKnown(library: string): boolean;
  accept(delivery: Delivery): Promise<Acceptance>;
  cancel(delivery: Delivery, eventId: string): Promise<Cancellation>;
  consent(delivery: Delivery, eventId: string): Promise<AnswerTaken>;
  decision(delivery: Delivery, eventId: string): Promise<AnswerTaken>;
  status(delivery: Delivery): Promise<StatusGiven>;
  elsewhere(delivery: Delivery): Promise<ElsewhereGiven>;
  readState(delivery: Delivery, eventId: string): Promise<StateRead>;
  join(body: Buffer): Promise<JoinAnswer>;
  counted(library: string, result: string): void;
}

type Library = ReceiverConfig['consortium']['libraries'][number];

/** Builds all that depends on the configuration; `metrics` receives what it counts. */
export function serve(
  { consortium, keys, minReplicas }: ReceiverConfig,
  parts: ReceiverParts,
  metrics: MetricsRegistry,
): Serving {
  const { redis, queue, sink, replicated, tracing, nowSeconds, monotonicNow, log } = parts;
  const { now, version } = parts;
  const libraries = new Map(
    consortium.libraries.filter(sendsScans).map((library) => [library.id, toSender(library)]),
  );
  const ids = [...libraries.keys()];
  const isKnown = (library: string): boolean => libraries.has(library);
  const names = new Map(consortium.libraries.map(({ id, name }) => [id, name]));
  const refreshed = new Map(
    consortium.libraries
      .filter(({ refresh }) => refresh?.atScan === true)
      .map(({ id, standing }) => [id, standing === 'off' ? 'each_day' : 'each_visit'] as const),
  );

  const backlogLimits = Object.fromEntries([...libraries].map(([id, { limits }]) => [id, limits.backlog]));
  // By Redis's clock, as the times in the backlog are: a receiver that is fast would take entries for left behind.
  const queueNow = (): Promise<number> => readRedisTime(redis, CLOCK_KEY);
  queueMetrics(metrics, async () => readQueue(redis, queue, ids, await queueNow()), backlogLimits);
  redisMetrics(metrics, () => readRedis(redis), minReplicas);

  const encryption = createEncryption(keys.map((key) => key.reveal()));
  const authenticate = buildAuthentication({ libraries, nowSeconds, monotonicNow });
  const accept = acceptEvent({
    authenticate,
    sink,
    jobs: buildJobMaker(encryption),
    noteSeen: buildNoteSeen({
      redis,
      wantedAt: (id) => refreshed.get(id) ?? 'nothing',
      deadlineMs: REDIS_DEADLINE_MS,
      log,
    }),
    traceparent: () => tracing.traceparent(),
  });
  const followUps = {
    authenticate,
    sink,
    redis,
    queue,
    replicated,
    hasWorker: buildHasWorker(redis, queue),
    nameOf: (id: string) => names.get(id) ?? id,
    deadlineMs: REDIS_DEADLINE_MS,
    log,
  };
  const status = { consortium, version, now, monotonicNow };
  return {
    libraries: libraries.size,
    isKnown,
    accept: tracedAccept(accept, tracing, isKnown),
    cancel: cancelScan(followUps),
    consent: takeConsent(followUps),
    decision: takeDecision(followUps),
    status: giveStatus(followUps, buildReadLibraryStatus({ ...followUps, ...status })),
    elsewhere: giveElsewhere({ ...followUps, libraries: consortium.libraries.map(({ id }) => id) }),
    readState: buildReadState(followUps),
    join: takeJoin(openInvitations(redis, encryption), { ...followUps, nowSeconds, monotonicNow }),
    counted: eventMetrics(metrics, { libraries: [...ids, UNKNOWN], results: ALERTING_RESULTS }),
  };
}

const sendsScans = (library: Library): boolean => library.enabled && library.webhookSecrets.length > 0;

function toSender({ id, webhookSecrets, limits }: Library): ReportingLibrary {
  return { id, limits, secrets: webhookSecrets.map((secret) => parseWebhookSecret(secret.reveal())) };
}
