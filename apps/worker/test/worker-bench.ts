import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Secret, workerConfig } from '@passport/config';
import { type EventState, type JobData, encryptionContext } from '@passport/contract';
import { type KohaDouble, type KohaDoubleOptions, startKohaDouble } from '@passport/koha-double';
import type { FetchTimings } from '@passport/queue/bullmq';
import { type ScanJobs, addScans, openScanQueue, readEventState } from '@passport/queue/scans';
import {
  Lifecycle,
  closeRedis,
  createLogger,
  createRedis,
  createEncryption,
  untilRedisReady,
} from '@passport/runtime';
import {
  type RedisOptions,
  type StartedRedis,
  buildConsortiumFile,
  consortiumSecrets,
  freePort,
  startRedis,
  waitFor,
} from '@passport/testkit';
import { FETCH_TIMINGS } from '../src/job/scan-worker.ts';
import { startWorker } from '../src/start-worker.ts';
import { CARD, ITEM, jobData } from './builders.ts';
import { PATRON } from './workflow-bench.ts';

/** What the payloads that version 1 left were encrypted with. No process would start with it today. */
const KEY = Buffer.alloc(32, 5);
const ACCEPTED_KEY = randomBytes(32).toString('base64');
export const ENCRYPTION = createEncryption([KEY]);
const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

/** One worker in this process. */
export interface RunningWorker {
  /** SIGTERM, as it were: resolves with the exit code. */
  stop(): Promise<number>;
  metrics(): Promise<string>;
  /** The status with which its admin port answers. */
  probe(path: 'livez' | 'readyz'): Promise<number>;
  /** What it logged, one object a line. */
  readonly logged: readonly Record<string, unknown>[];
}

/** How one worker differs: by the ports at which it reaches Redis and midland, such as those of proxies. */
export interface WorkerOptions {
  readonly redisPort?: number;
  readonly midlandPort?: number;
  readonly graceMs?: number;
  readonly concurrency?: number;
  readonly timings?: FetchTimings;
  /** Called as soon as it is being started: it may wait for Redis. */
  readonly started?: (worker: RunningWorker) => void;
  /** It was started with an older file, in which riverside is not yet. */
  readonly knowsRiverside?: boolean;
}

/** A real Redis, two Kohas, and workers between them; the receiver's part is done by `accept`. */
export interface WorkerBench {
  readonly redis: StartedRedis;
  readonly queue: ScanJobs;
  readonly midland: KohaDouble;
  readonly riverside: KohaDouble;
  startWorker(options?: WorkerOptions): Promise<RunningWorker>;
  /** Queues the scan of a card at riverside, made now, and returns its event id. */
  accept(wish?: {
    card?: string;
    item?: string | null;
    job?: Partial<JobData>;
    priority?: number;
  }): Promise<string>;
  state(eventId: string): Promise<EventState | null>;
  follow(eventId: string, until?: (state: EventState) => boolean, timeoutMs?: number): Promise<EventState>;
  job(eventId: string): ReturnType<ScanJobs['getJob']>;
  close(): Promise<void>;
}

export interface WorkerPlan {
  readonly redis?: RedisOptions;
  readonly riverside?: Omit<KohaDoubleOptions, 'library'>;
  /** More keys of riverside's entry in the configuration, by section. */
  readonly entry?: Readonly<Record<string, object>>;
  /** More keys of the file, such as `agreements`. */
  readonly keys?: Readonly<Record<string, unknown>>;
  /** Defaults of all libraries, by section. */
  readonly defaults?: Readonly<Record<string, object>>;
}

const isOver = ({ state }: EventState): boolean => state === 'done' || state === 'failed';

export async function openWorkers(plan: WorkerPlan = {}): Promise<WorkerBench> {
  const closers: (() => Promise<unknown>)[] = [];
  const redis = await startRedis(plan.redis);
  closers.push(() => redis.stop());
  const [midland, riverside] = await Promise.all([
    startKohaDouble({ library: 'midland' }),
    startKohaDouble({ library: 'riverside', ...plan.riverside }),
  ]);
  closers.push(() => Promise.all([midland.close(), riverside.close()]));
  midland.putPatron(CARD, PATRON);
  riverside.putItem(ITEM, { item_type_id: 'BK', home_library_id: 'MAIN', holding_library_id: 'MAIN' });
  const keys = createRedis(redis.url, {
    role: 'producer',
    log: createLogger({ name: 'test', level: 'fatal' }),
    name: 'test',
  });
  closers.push(() => closeRedis(keys));
  await untilRedisReady(keys, 5_000);
  const queue = openScanQueue(keys);
  queue.on('error', () => undefined);
  let events = 0;
  const state = (eventId: string) => readEventState(keys, 'riverside', eventId, (id) => `${id} library`);
  return {
    redis,
    queue,
    midland,
    riverside,
    async startWorker(options = {}) {
      const worker = await startOne([midland, riverside], redis, plan, options);
      closers.push(() => worker.stop());
      return worker;
    },
    async accept({ card = CARD, item = ITEM, job = {}, priority = 1 } = {}) {
      const eventId = job.event_id ?? `evt_${(events += 1)}`;
      const encrypt = (text: string, field: 'card' | 'item') =>
        ENCRYPTION.encrypt(text, encryptionContext('riverside', eventId, field));
      const data = jobData({
        event_id: eventId,
        received_ms: Date.now(),
        age_at_delivery_ms: 0,
        encrypted_card: encrypt(card, 'card'),
        encrypted_item: item === null ? null : encrypt(item, 'item'),
        checkout_requested: item !== null,
        ...job,
      });
      await addScans(queue, [{ job: data, priority }]);
      return eventId;
    },
    state,
    follow: (eventId, until = isOver, timeoutMs = 15_000) =>
      waitFor(
        `event ${eventId}`,
        async () => {
          const now = await state(eventId);
          return now !== null && until(now) ? now : Promise.reject(new Error(JSON.stringify(now)));
        },
        { timeoutMs },
      ),
    job: (eventId) => queue.getJob(`riverside.${eventId}`),
    async close() {
      for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
    },
  };
}

async function startOne(
  doubles: readonly KohaDouble[],
  redis: StartedRedis,
  plan: WorkerPlan,
  options: WorkerOptions,
): Promise<RunningWorker> {
  const known = doubles.filter(({ library }) => library !== 'riverside' || options.knowsRiverside !== false);
  const served = known.map((double) => ({
    id: double.library,
    kohaUrl:
      double.library === 'midland'
        ? double.url.replace(String(double.port), String(options.midlandPort ?? double.port))
        : double.url,
    clientId: double.credentials.clientId,
    clientSecret: double.credentials.clientSecret,
    webhookSecret: SECRET,
    ...(double.library === 'riverside' && plan.entry !== undefined ? { entry: plan.entry } : {}),
  }));
  const file = buildConsortiumFile(served, {
    ...plan.keys,
    defaults: { koha: { timeout: '1s' }, ...plan.defaults },
  });
  const adminPort = await freePort();
  const env = {
    PASSPORT_CONFIG: 'passport.yaml',
    PASSPORT_KEY: ACCEPTED_KEY,
    REDIS_URL: redis.url.replace(String(redis.port), String(options.redisPort ?? redis.port)),
    WORKER_CONCURRENCY: String(options.concurrency ?? 20),
    ADMIN_PORT: String(adminPort),
    ADMIN_HOST: '127.0.0.1',
    ...consortiumSecrets(served),
  };
  const logged: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  const log = createLogger({ name: 'worker', level: 'trace', destination });
  const lifecycle = new Lifecycle(log, {
    graceMs: options.graceMs ?? 5_000,
    process: new EventEmitter(),
  });
  const worker: RunningWorker = {
    logged,
    stop: () => lifecycle.stop('test'),
    metrics: async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(),
    probe: async (path) => (await fetch(`http://127.0.0.1:${adminPort}/${path}`)).status,
  };
  options.started?.(worker);
  const config = { ...workerConfig(env, () => file), keys: [new Secret(KEY)] };
  const sources = {
    wallNow: Date.now,
    monotonicNow: () => performance.now(),
    random: Math.random,
    newId: randomUUID,
    self: { kind: 'worker', version: '1.0.0', host: 'bench' } as const,
    pause: (ms: number) => pause(ms),
    adoptClock: () => undefined,
  };
  await startWorker(config, log, lifecycle, sources, () => config, options.timings ?? FETCH_TIMINGS);
  return worker;
}
