import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openScanQueue, openTellQueue, readLibraryStates } from '@passport/queue';
import { closeRedis, createLogger, createRedis, untilRedisReady } from '@passport/runtime';
import { leakGuard, startRedis } from '@passport/testkit';
import { buildTasks } from '../src/maintenance/tasks.ts';
import type { Libraries } from '../src/koha/libraries.ts';
import { buildLibraryHealth } from '../src/koha/library-health.ts';
import { NOON } from './builders.ts';

const own = leakGuard({ beforeEach, afterEach });

async function tasks() {
  const server = own(await startRedis());
  const log = createLogger({ name: 'test', level: 'fatal' });
  const redis = createRedis(server.url, { role: 'producer', log, name: 'test' });
  own({ stop: () => closeRedis(redis) });
  await untilRedisReady(redis, 2_000);
  const [queue, tellQueue] = [openScanQueue(redis), openTellQueue(redis)];
  own({ stop: () => Promise.all([queue.close(), tellQueue.close()]) });
  const sightings = buildLibraryHealth(
    ['midland', 'riverside'],
    () => null,
    () => NOON,
  );
  const all = buildTasks({
    consortium: { libraries: [], retention: { finishedMs: 1, failedMs: 1, receiptsMs: 1 } } as never,
    redis,
    queue,
    tellQueue,
    libraries: {} as Libraries,
    sightings,
    workerId: 'worker-1',
    dropped: () => undefined,
    now: () => NOON,
    log,
  });
  const work = (name: string) => all.find((chore) => chore.name === name)?.work();
  return { server, redis, sightings, work };
}

test('what a worker saw of a library is written again where the first writing failed', async () => {
  const { server, redis, sightings, work } = await tasks();
  sightings.circuitChanged('midland', true);
  sightings.circuitChanged('riverside', true);
  await server.ask('SET', '{passport}:library:midland', 'in the way');
  await expect(work('sightings')).rejects.toThrow('WRONGTYPE');
  await server.ask('DEL', '{passport}:library:midland');

  await work('sightings');

  const states = await readLibraryStates(redis, ['midland', 'riverside'], NOON);
  expect(states.map(({ condition }) => condition)).toEqual(['open', 'open']);
});
