import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createLogger, createRedis, closeRedis, untilRedisReady, type Redis } from '@passport/runtime';
import { buildJob, startRedis, type RedisOptions, type StartedRedis } from '@passport/testkit';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { JobData } from '@passport/contract';
import { type AdmissionAnswer, type AdmissionRequest, buildAdmission } from '@passport/queue/admission';
import { QUEUE_PREFIX, SCANS } from '@passport/queue/keys';
import { type ScanJobs, openScanQueue } from '@passport/queue/scans';

/** A time of day that tests may name; Redis keeps its own. */
export const NOON = Date.parse('2026-11-25T12:00:00Z');

/** A real Redis with a connection as the receiver has it, and something that moves jobs as a worker would. */
export interface QueueFixture {
  readonly server: StartedRedis;
  readonly redis: Redis;
  readonly queue: ScanJobs;
  readonly mover: JobMover;
  /** One more connection, such as a second receiver's. Closed with the fixture. */
  connect(): Promise<Redis>;
  /** Milliseconds by Redis's clock. */
  redisNow(): Promise<number>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Takes and ends jobs one by one, without a processor. */
export interface JobMover {
  take(): Promise<Job<JobData>>;
  complete(job: Job<JobData>): Promise<void>;
  fail(job: Job<JobData>): Promise<void>;
  delay(job: Job<JobData>, untilMs: number): Promise<void>;
}

/** The fixture of a test file: there before its first test, emptied after each, closed at the end. */
export function useQueueFixture(options: RedisOptions = {}): QueueFixture {
  const fixture = {} as QueueFixture;
  beforeAll(async () => void Object.assign(fixture, await openQueueFixture(options)));
  afterEach(() => fixture.clear());
  afterAll(() => fixture.close());
  return fixture;
}

export async function openQueueFixture(options: RedisOptions = {}): Promise<QueueFixture> {
  const server = await startRedis(options);
  const log = createLogger({ name: 'test', level: 'fatal' });
  const opened: Redis[] = [];
  const connect = async (role: 'producer' | 'worker' = 'producer'): Promise<Redis> => {
    const redis = createRedis(server.url, { role, log, name: 'test' });
    opened.push(redis);
    await untilRedisReady(redis, 5_000);
    return redis;
  };
  const redis = await connect();
  const queue = openScanQueue(redis);
  const worker = new Worker<JobData>(SCANS, null, {
    connection: await connect('worker'),
    prefix: QUEUE_PREFIX,
    autorun: false,
    skipVersionCheck: true,
    skipStalledCheck: true,
  });
  return {
    server,
    redis,
    queue,
    mover: buildJobMover(worker),
    connect: () => connect(),
    async redisNow() {
      const [seconds = 0, micros = 0] = await redis.time();
      return seconds * 1000 + Math.floor(micros / 1000);
    },
    clear: async () => void (await server.call('FLUSHALL')),
    async close() {
      await worker.close();
      await queue.close();
      for (const each of opened) await closeRedis(each);
      await server.stop();
    },
  };
}

function buildJobMover(worker: Worker<JobData>): JobMover {
  const token = 'test-hand';
  return {
    async take() {
      const job = (await worker.getNextJob(token, { block: false })) as Job<JobData> | undefined;
      if (job === undefined) throw new Error('the queue had no job to take');
      return job;
    },
    complete: async (job) => void (await job.moveToCompleted(null, token, false)),
    fail: async (job) => {
      await job.moveToFailed(new UnrecoverableError('MISCONFIGURED'), token, false);
    },
    delay: (job, untilMs) => job.moveToDelayed(untilMs, token),
  };
}

/** Admission of one delivery at a time. */
export type AdmitOne = (question: AdmissionRequest) => Promise<AdmissionAnswer>;

export function openAdmission(fixture: Pick<QueueFixture, 'redis'>): AdmitOne {
  let admit: ReturnType<typeof buildAdmission> | undefined;
  return async (request) => {
    admit ??= buildAdmission(fixture.redis);
    const [answer] = await admit([request]);
    if (answer === undefined) throw new Error('admission gave no answer');
    return answer;
  };
}

/** A good event of riverside; each part may be replaced. */
export function question(change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    mode: 'take',
    library: 'riverside',
    eventId: 'evt_1',
    bodyHashes: ['key1:body'],
    scanHash: 'key1:scan',
    limits: { eventsPerSecond: 50, burst: 200, backlog: 10_000, remembered: 100_000 },
    ...change,
  };
}

/** Another event of the same library: its own id, body and card. */
export function event(n: number, change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return question({
    eventId: `evt_${n}`,
    bodyHashes: [`key1:body${n}`],
    scanHash: `key1:scan${n}`,
    ...change,
  });
}

export { buildJob as jobData };

/** The answer of an event that goes on; fails the test on any other. */
export function entered(answer: AdmissionAnswer): Extract<AdmissionAnswer, { add: boolean }> {
  if (!('add' in answer)) throw new Error(`admission answered ${answer.kind}`);
  return answer;
}
