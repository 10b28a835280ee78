import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { type JobData, type Progress, nextProgress } from '@passport/contract';
import { QUEUE_PREFIX, SCANS, backlogKey } from '@passport/queue/keys';
import { openLedger } from '@passport/queue/ledger';
import { openReportQueue, type ReportJobs } from '@passport/queue/reports';
import { addScans, openScanQueue, type ScanJobs } from '@passport/queue/scans';
import {
  CONNECTION_LIMITS,
  type Logger,
  type Redis,
  closeRedis,
  createConnectionLimits,
  createLogger,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { type StartedRedis, buildJob, startRedis } from '@passport/testkit';
import { type DashboardDeps, buildDashboard } from '../src/build-dashboard.ts';
import { createLogin } from '../src/login/login.ts';
import { buildPersonActions } from '../src/shell/person-actions.ts';

export const OPERATOR = {
  user: 'olga',
  password: 'operators-password',
  role: 'operator',
  libraries: 'all',
} as const;
export const VIEWER = {
  user: 'victor',
  password: 'viewers-password',
  role: 'viewer',
  libraries: 'all',
} as const;
/** May act, at riverside alone. */
export const SCOPED = {
  user: 'rita',
  password: 'riversides-password',
  role: 'operator',
  libraries: ['riverside'],
} as const;
type Somebody = typeof OPERATOR | typeof VIEWER | typeof SCOPED;
export const RETRY = { checkout: true, checkoutWithinMs: 90_000 };
const LIBRARIES = [
  { id: 'midland', name: 'Midland Public Library', enabled: true, retry: RETRY },
  {
    id: 'riverside',
    name: 'Riverside <Library> & Archive',
    enabled: true,
    retry: RETRY,
    isSwept: true,
    staffUrl: 'https://staff.riverside.example',
    isCounted: true,
    warnings: [
      { text: 'cards: a pattern without ^ and $', libraries: ['riverside'] },
      { text: 'cards: these patterns and those of midland', libraries: ['riverside', 'midland'] },
    ],
  },
  { id: 'lakeside', name: 'Lakeside', enabled: false, retry: RETRY },
];

const ENDPOINTS = [
  { name: 'ops', libraries: 'all' },
  { name: 'riverside-ops', libraries: ['riverside'] },
  { name: 'lakeside-ops', libraries: ['lakeside'] },
  { name: 'lakeside-and-riverside', libraries: ['lakeside', 'riverside'] },
] as const;

export interface DashboardFixture {
  readonly server: StartedRedis;
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly reportQueue: ReportJobs;
  readonly log: Logger;
  readonly now: () => number;
  /** Builds a dashboard; each dependency may be replaced. */
  build(change?: Partial<DashboardDeps>): FastifyInstance;
  /** Sends one request to a new dashboard, as somebody; `as: null` sends no login. */
  request(options: InjectOptions & { as?: Somebody | null }): ReturnType<typeof injectOnce>;
  /** Brings an event into a state, as receiver and worker would. */
  put(progress: Partial<Progress>, change?: Partial<JobData>): Promise<string>;
  /** Log lines since the last `clear`. */
  lines(): Record<string, unknown>[];
  clear(): Promise<void>;
  close(): Promise<void>;
}

export const basic = ({ user, password }: { user: string; password: string }): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const nameOf = (id: string): string => LIBRARIES.find((library) => library.id === id)?.name ?? id;

export async function openDashboardFixture(): Promise<DashboardFixture> {
  const server = await startRedis();
  const { log, lines, forget } = captureLog();
  const redis = createRedis(server.url, { role: 'reader', log, name: 'test' });
  const workerRedis = createRedis(server.url, { role: 'worker', log, name: 'test' });
  await Promise.all([untilRedisReady(redis, 5_000), untilRedisReady(workerRedis, 5_000)]);
  const queue = openScanQueue(redis);
  const reportQueue = openReportQueue(redis);
  const worker = new Worker<JobData>(SCANS, null, {
    connection: workerRedis,
    prefix: QUEUE_PREFIX,
    autorun: false,
    skipVersionCheck: true,
    skipStalledCheck: true,
  });
  const now = (): number => Date.now();
  const build = (change: Partial<DashboardDeps> = {}): FastifyInstance =>
    buildDashboard({
      queue,
      reportQueue,
      redis,
      nameOf,
      now,
      log,
      basePath: '',
      consortium: 'Test Libraries',
      proxyLogin: null,
      login: createLogin([OPERATOR, VIEWER, SCOPED], now),
      retries: new Map(),
      asker: {
        name: 'this dashboard',
        version: '7.8.9',
        configuration: { name: 'this dashboard', hash: 'cccccccccccc' },
      },
      actions: buildPersonActions({ queue, ledger: openLedger(redis), now, log }),
      libraries: LIBRARIES,
      endpoints: ENDPOINTS,
      runbook:
        '<h3 id="passportnoworker">PassportNoWorker</h3><p><code>docker compose ps worker</code> &amp; <code>passport doctor &#39;x&#39;</code></p>',
      install: undefined,
      assetsDir: fileURLToPath(new URL('../assets/', import.meta.url)),
      trustProxy: false,
      connections: createConnectionLimits({
        ...CONNECTION_LIMITS,
        isProxy: () => false,
        dropped: () => undefined,
      }),
      requestTimeoutMs: 10_000,
      stopping: () => false,
      successor: () => null,
      answerWithinMs: 4_000,
      ...change,
    });
  return {
    server,
    redis,
    queue,
    reportQueue,
    log,
    now,
    build,
    request: (options) => injectOnce(build(), options),
    put: (progress, change) => putEvent({ redis, queue, worker }, progress, change),
    lines,
    async clear() {
      forget();
      await server.call('FLUSHALL');
    },
    async close() {
      await worker.close();
      await queue.close();
      await reportQueue.close();
      await Promise.all([closeRedis(redis), closeRedis(workerRedis)]);
      await server.stop();
    },
  };
}

/** What somebody is answered, each page on one line. */
export async function answerOf(
  app: FastifyInstance,
  somebody: { readonly user: string; readonly password: string },
  url: string,
  method: 'GET' | 'POST' = 'GET',
) {
  const { statusCode, headers, body } = await app.inject({
    url,
    method,
    headers: { authorization: basic(somebody) },
  });
  return { status: statusCode, headers, location: headers.location, body: body.replaceAll(/\s+/g, ' ') };
}

/** Sends one request to an app and closes it. */
export async function injectOnce(
  app: FastifyInstance,
  { as = OPERATOR, headers, ...options }: InjectOptions & { as?: Somebody | null },
) {
  try {
    const authorization = as === null ? {} : { authorization: basic(as) };
    return await app.inject({ ...options, headers: { ...authorization, ...headers } });
  } finally {
    await app.close();
  }
}

let events = 0;

/** The state says where the job has to be: `failed` and `waiting` are reached through a worker's hands. */
async function putEvent(
  { redis, queue, worker }: { redis: Redis; queue: ScanJobs; worker: Worker<JobData> },
  progress: Partial<Progress>,
  change: Partial<JobData> = {},
): Promise<string> {
  events += 1;
  const data = jobData({ event_id: `evt_${events}`, ...change });
  const iso = new Date().toISOString();
  const after = { ...data, progress: nextProgress(data.progress, progress, iso) };
  // What stays queued must not be what is taken for the next event.
  await addScans(queue, [{ job: after, priority: after.progress.state === 'queued' ? 2 : 1 }]);
  const { outcome } = after.progress;
  if (outcome === null) await redis.zadd(backlogKey(data.library), Date.now(), data.event_id);
  else await openLedger(redis).settle(data.library, data.event_id, outcome, iso, { used: 'none' });
  if (after.progress.state !== 'queued') {
    const job: Job<JobData> | undefined = await worker.getNextJob('hand', { block: false });
    if (job === undefined) throw new Error('the queue had no job to take');
    if (after.progress.state === 'done') await job.moveToCompleted(null, 'hand', false);
    if (after.progress.state === 'waiting') await job.moveToDelayed(Date.now() + 60_000, 'hand');
    if (after.progress.state === 'failed') {
      await job.moveToFailed(new UnrecoverableError('what the worker wrote'), 'hand', false);
    }
  }
  return data.event_id;
}

const jobData = (change: Partial<JobData>): JobData => buildJob({ received_ms: Date.now(), ...change });

function captureLog() {
  const chunks: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return {
    log: createLogger({ name: 'dashboard', level: 'trace', destination }),
    lines: () =>
      chunks
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    forget: () => void chunks.splice(0),
  };
}
