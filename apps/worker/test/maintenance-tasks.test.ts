import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openScanQueue, openReportQueue, readLibraryStates } from '@passport/queue';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard, startRedis } from '@passport/testkit';
import { buildTasks } from '../src/maintenance/tasks.ts';
import type { Libraries } from '../src/koha/libraries.ts';
import { buildHealthTracker } from '../src/koha/health-tracker.ts';
import { NOON } from './builders.ts';

const own = leakGuard({ beforeEach, afterEach });

async function tasks() {
  const server = own(await startRedis());
  const log = createLogger({ name: 'test', level: 'fatal' });
  const redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 2_000);
  const [queue, reportQueue] = [openScanQueue(redis), openReportQueue(redis)];
  own({ stop: () => Promise.all([queue.close(), reportQueue.close()]) });
  const health = buildHealthTracker(
    ['midland', 'riverside'],
    () => null,
    () => NOON,
  );
  const all = buildTasks({
    consortium: { libraries: [], retention: { finishedMs: 1, failedMs: 1, receiptsMs: 1 } } as never,
    redis,
    queue,
    reportQueue,
    libraries: {} as Libraries,
    health,
    workerId: 'worker-1',
    dropped: () => undefined,
    now: () => NOON,
    log,
  });
  const work = (name: string) => all.find((chore) => chore.name === name)?.work();
  return { server, redis, health, work };
}

test('what a worker saw of a library is written again where the first writing failed', async () => {
  const { server, redis, health, work } = await tasks();
  health.circuitChanged('midland', true);
  health.circuitChanged('riverside', true);
  await server.ask('SET', '{passport}:library:midland', 'in the way');
  await expect(work('sightings')).rejects.toThrow('WRONGTYPE');
  await server.ask('DEL', '{passport}:library:midland');

  await work('sightings');

  const states = await readLibraryStates(redis, ['midland', 'riverside'], NOON);
  expect(states.map(({ condition }) => condition)).toEqual(['open', 'open']);
});
