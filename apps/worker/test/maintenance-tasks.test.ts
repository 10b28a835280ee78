import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readLibraryStates } from '@passport/queue/processes';
import { openReportQueue } from '@passport/queue/reports';
import { openScanQueue } from '@passport/queue/scans';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { type RedisOptions, leakGuard, startRedis, waitFor } from '@passport/testkit';
import type { Task } from '../src/maintenance/start-tasks.ts';
import { buildTasks } from '../src/maintenance/tasks.ts';
import type { Libraries } from '../src/koha/libraries.ts';
import { buildHealthTracker } from '../src/koha/health-tracker.ts';
import { NOON } from './builders.ts';

const own = leakGuard({ beforeEach, afterEach });

async function tasks(options: RedisOptions = {}) {
  const server = own(await startRedis(options));
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const log = createLogger({ name: 'test', level: 'warn', destination });
  const redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 2_000);
  const [queue, reportQueue] = [openScanQueue(redis), openReportQueue(redis)];
  own({ stop: () => Promise.all([queue.close(), reportQueue.close()]) });
  const health = buildHealthTracker(
    ['midland', 'riverside'],
    () => ({ answerMs: null, waiting: 0 }),
    () => NOON,
  );
  const all = buildTasks({
    consortium: {
      libraries: [{ id: 'midland', limits: { keptFinished: 1, keptFailed: 1 } }],
      retention: { finishedMs: 1, failedMs: 1, receiptsMs: 1, auditMs: 1 },
    } as never,
    redis,
    queue,
    reportQueue,
    libraries: {} as Libraries,
    pauseLeft: () => null,
    health,
    workerId: 'worker-1',
    dropped: () => undefined,
    now: () => NOON,
    log,
  });
  const taskNamed = (name: string): Task => {
    const found = all.find((task) => task.name === name);
    if (found === undefined) throw new Error(`a worker has no task ${name}`);
    return found;
  };
  return { server, redis, health, lines, taskNamed, work: (name: string) => taskNamed(name).work() };
}

test('what a worker saw of a library is written again where the first writing failed', async () => {
  const { server, redis, health, work } = await tasks();
  health.circuitChanged('midland', true);
  health.circuitChanged('riverside', true);
  await server.call('SET', '{passport}:library:midland', 'in the way');
  await expect(work('library health')).rejects.toThrow('WRONGTYPE');
  await server.call('DEL', '{passport}:library:midland');

  await work('library health');

  const states = await readLibraryStates(redis, ['midland', 'riverside'], NOON);
  expect(states.map(({ condition }) => condition)).toEqual(['open', 'open']);
});

const HOUR_MS = 3_600_000;

test('a worker has Redis rewrite its append-only file each hour, and looks each minute whether it is time', async () => {
  const { redis, lines, taskNamed, work } = await tasks({ appendonly: true });
  const rewrites = async (): Promise<number> =>
    Number(/^aof_rewrites:(\d+)/m.exec(await redis.info('persistence'))?.[1]);
  const before = await rewrites();

  for (let round = 0; round < 3; round += 1) await work('rewrite');

  await waitFor('the rewrite to be counted', async () => (await rewrites()) === before + 1);
  const nextMs = await redis.pttl('{passport}:rewrite');
  expect(nextMs).toBeGreaterThan(HOUR_MS - 60_000);
  expect(nextMs).toBeLessThanOrEqual(HOUR_MS);
  expect(taskNamed('rewrite').everyMs).toBeLessThanOrEqual(60_000);
  expect(lines).toEqual([]);
});

test('a Redis that forbids the rewrite is in the log once an hour', async () => {
  const { server, lines, work } = await tasks({ appendonly: true });
  await server.call('ACL', 'SETUSER', 'default', '-bgrewriteaof');

  for (let round = 0; round < 3; round += 1) await work('rewrite');

  expect(lines).toEqual([
    expect.objectContaining({ level: 'warn', msg: expect.stringContaining('append-only file') }),
  ]);
});

test('of all workers one looks, every five seconds, which library has too many ended events', async () => {
  const { redis, work, taskNamed } = await tasks();
  const kept = '{passport}:kept:finished:midland';
  const endTwo = () => redis.zadd(kept, NOON, 'evt_1', NOON, 'evt_2');
  await endTwo();
  await work('kept events');
  expect(await redis.zcard(kept)).toBe(1);

  await endTwo();
  await work('kept events');
  expect(await redis.zcard(kept)).toBe(2);
  const leftMs = await redis.pttl('{passport}:turn:kept');
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThan(taskNamed('kept events').everyMs);

  await redis.del('{passport}:turn:kept');
  await work('kept events');
  expect(await redis.zcard(kept)).toBe(1);
});

test.each(['promote scans', 'promote reports'])(
  'a desk waits: task %s runs four times a second',
  async (name) => {
    const { taskNamed } = await tasks();
    expect(taskNamed(name).everyMs).toBeLessThanOrEqual(250);
  },
);
