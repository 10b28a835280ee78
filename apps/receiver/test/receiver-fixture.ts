import { indexAgreements } from '@passport/config';
import { Writable } from 'node:stream';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { type JobData, parseWebhookSecret } from '@passport/contract';
import { buildAdmission } from '@passport/queue/admission';
import { openInvitations } from '@passport/queue/joining';
import { buildHasWorker } from '@passport/queue/processes';
import { type ReplicaCheck, buildReplicaCheck } from '@passport/queue/redis';
import { type ScanJobs, openScanQueue } from '@passport/queue/scans';
import {
  CONNECTION_LIMITS,
  type Redis,
  type Encryption,
  buildProxyTest,
  closeRedis,
  createConnectionLimits,
  createLogger,
  createRedis,
  createEncryption,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, startRedis } from '@passport/testkit';
import { acceptEvent } from '../src/deliveries/accept-event.ts';
import { buildReceiver } from '../src/http/app.ts';
import { type ReportingLibrary, buildAuthentication } from '../src/deliveries/authentication.ts';
import {
  type LibraryStatusDeps,
  buildReadLibraryStatus,
  giveStatus,
} from '../src/follow-ups/library-status.ts';
import { cancelScan } from '../src/follow-ups/cancel-scan.ts';
import { startRefusalWatch } from '../src/deliveries/watch-refusals.ts';
import { buildEventSink } from '../src/deliveries/event-sink.ts';
import { buildJobMaker } from '../src/deliveries/job-maker.ts';
import { buildNoteSeen } from '../src/deliveries/note-seen.ts';
import type { JoinFiles } from '../src/joining/join-files.ts';
import { takeJoin } from '../src/joining/take-join.ts';
import { buildReadState } from '../src/follow-ups/read-state.ts';
import { giveElsewhere } from '../src/follow-ups/patron-elsewhere.ts';
import { takeConsent, takeDecision } from '../src/follow-ups/take-answer.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 'riverside').toString('base64')}`;
export const OTHER_SECRET = `whsec_${Buffer.alloc(32, 'lakeside').toString('base64')}`;
const KEY = Buffer.alloc(32, 'k');
const LIMITS = { eventsPerSecond: 10_000, burst: 10_000, backlog: 10_000, remembered: 100_000 };

export function reportingLibrary(id: string, secrets: readonly string[] = [SECRET]): ReportingLibrary {
  return { id, secrets: secrets.map(parseWebhookSecret), limits: LIMITS };
}

/** The receiver in this process, listening, over a Redis that the test owns. */
export interface ReceiverFixture {
  readonly port: number;
  readonly url: string;
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly encryption: Encryption;
  /** May be changed while it runs. */
  readonly libraries: Map<string, ReportingLibrary>;
  /** What was counted: `library result`. */
  readonly counted: string[];
  /** `aheadMs`: of the time by which a status is read. */
  readonly clock: { nowSeconds: () => number; stopping: boolean; aheadMs: number };
  logged(): string;
  jobs(): Promise<JobData[]>;
  close(): Promise<void>;
}

/** The receiver of a test file, with a Redis of its own that is emptied after each test. */
export function useReceiver(
  options: Omit<ReceiverOptions, 'redisUrl'> = {},
): ReceiverFixture & { readonly server: StartedRedis } {
  const receiver = {} as ReceiverFixture & { server: StartedRedis };
  beforeAll(async () => {
    const server = await startRedis();
    Object.assign(receiver, { server }, await openReceiver({ ...options, redisUrl: server.url }));
  });
  afterEach(() => receiver.server.call('FLUSHALL'));
  afterAll(async () => {
    await receiver.close();
    await receiver.server.stop();
  });
  return receiver;
}

interface ReceiverOptions {
  readonly redisUrl: string;
  readonly minReplicas?: number;
  /** In the place of a check of real replicas. */
  readonly replicated?: ReplicaCheck;
  readonly deadlineMs?: number;
  readonly requestTimeoutMs?: number;
  readonly keys?: readonly Buffer[];
  readonly waitForRedis?: boolean;
  readonly trustProxy?: string;
  readonly joinFiles?: JoinFiles;
  /** Of which a status can be read. */
  readonly consortium?: LibraryStatusDeps['consortium'];
  readonly limits?: { readonly perAddress: number; readonly inAll: number };
}

export async function openReceiver(options: ReceiverOptions): Promise<ReceiverFixture> {
  const { text, log } = captureLog();
  const redis = createRedis(options.redisUrl, { role: 'producer', log, name: 'receiver' });
  const queue = openScanQueue(redis);
  queue.on('error', () => undefined);
  if (options.waitForRedis !== false) await untilRedisReady(redis, 5_000);
  const clock = { nowSeconds: () => Math.floor(Date.now() / 1000), stopping: false, aheadMs: 0 };
  const libraries = new Map(['riverside', 'midland'].map((id) => [id, reportingLibrary(id)]));
  libraries.set('lakeside', reportingLibrary('lakeside', [OTHER_SECRET]));
  const encryption = createEncryption(options.keys ?? [KEY]);
  const deadlineMs = options.deadlineMs ?? 2_000;
  const { minReplicas = 0 } = options;
  const authenticate = buildAuthentication({
    libraries,
    nowSeconds: () => clock.nowSeconds(),
    monotonicNow: () => performance.now(),
  });
  const checked = minReplicas === 0 ? null : buildReplicaCheck(redis, minReplicas, deadlineMs / 2);
  const replicated = options.replicated ?? checked;
  const sink = buildEventSink({
    redis,
    queue,
    admit: buildAdmission(redis),
    replicated,
    deadlineMs,
    monotonicNow: () => performance.now(),
    log,
  });
  const noteSeen = buildNoteSeen({
    redis,
    wantedAt: (id) => (id === 'riverside' ? 'each_day' : 'nothing'),
    deadlineMs,
    log,
  });
  const counted: string[] = [];
  const hasWorker = buildHasWorker(redis, queue);
  const nameOf = (id: string): string => `The library ${id}`;
  const followUps = { authenticate, sink, redis, queue, replicated, hasWorker, nameOf, deadlineMs, log };
  const serving = {
    isKnown: (library: string) => libraries.has(library),
    accept: acceptEvent({ authenticate, sink, jobs: buildJobMaker(encryption), noteSeen }),
    readState: buildReadState(followUps),
    join: takeJoin(openInvitations(redis, encryption), {
      ...followUps,
      nowSeconds: () => clock.nowSeconds(),
      monotonicNow: () => performance.now(),
    }),
    cancel: cancelScan(followUps),
    consent: takeConsent(followUps),
    decision: takeDecision(followUps),
    status: giveStatus(
      followUps,
      buildReadLibraryStatus({
        ...followUps,
        consortium: options.consortium ?? { libraries: [], agreements: indexAgreements([]) },
        version: '1.2.3',
        now: () => Date.now() + clock.aheadMs,
        monotonicNow: () => performance.now() + clock.aheadMs,
      }),
    ),
    elsewhere: giveElsewhere({
      ...followUps,
      libraries: (options.consortium?.libraries ?? []).map(({ id }) => id),
    }),
    counted: (library: string, result: string) => void counted.push(`${library} ${result}`),
  };
  const refusals = startRefusalWatch({ redis, everyMs: 50, log });
  const app = buildReceiver({
    serving: () => serving,
    refusals,
    version: '1.2.3',
    joinFiles: options.joinFiles ?? { guide: null, plugin: null },
    stopping: () => clock.stopping,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    trustProxy: options.trustProxy ?? false,
    connections: createConnectionLimits({
      ...(options.limits ?? CONNECTION_LIMITS),
      isProxy: buildProxyTest(options.trustProxy ?? false),
      dropped: (limit) => void counted.push(`dropped ${limit}`),
    }),
    monotonicNow: () => performance.now(),
    log,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    redis,
    queue,
    encryption,
    libraries,
    counted,
    clock,
    logged: text,
    jobs: async () => (await queue.getJobs(['prioritized'])).map(({ data }) => data),
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await refusals.close();
      await queue.close();
      await closeRedis(redis);
    },
  };
}

function captureLog() {
  let text = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { text: () => text, log: createLogger({ name: 'receiver', level: 'trace', destination }) };
}

/** What a 202 or a problem has in its body. */
export interface AnswerBody {
  readonly event_id?: string;
  readonly status?: string | number;
  readonly code?: string;
  readonly field?: string;
  readonly detail?: string;
}

/** An answer with its body, parsed. */
export async function read(
  answer: Promise<Response> | Response,
): Promise<{ status: number; headers: Headers; body: AnswerBody }> {
  const response = await answer;
  return { status: response.status, headers: response.headers, body: (await response.json()) as AnswerBody };
}
