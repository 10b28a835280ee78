import { afterAll, beforeEach } from '@jest/globals';
import {
  type Logger,
  type Redis,
  closeRedis,
  createLogger,
  createRedis,
  untilRedisReady,
} from '@passport/runtime';
import { type Closable, startRedis } from '@passport/testkit';

/** A real Redis for the tests of one file, with a connection as the receiver has it. */
export interface EmptyRedis {
  readonly redis: Redis;
  /** It writes nothing. */
  readonly log: Logger;
  /** One more connection, as a worker has it. The caller closes it. */
  connect(name: string): Promise<Redis>;
  /** Closes a thing that uses `redis` after the last test, before Redis ends. */
  own<T extends Closable>(thing: T): T;
}

/** Starts it while the file is loaded, empties it before each test, and stops it after the last. */
export async function openEmptyRedis(): Promise<EmptyRedis> {
  const log = createLogger({ name: 'test', level: 'silent' });
  const server = await startRedis();
  const owned: Closable[] = [];
  async function connect(role: 'producer' | 'worker', name: string): Promise<Redis> {
    const redis = createRedis(server.url, { role, log, name });
    await untilRedisReady(redis, 2_000);
    return redis;
  }
  const redis = await connect('producer', 'test');
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    for (const thing of owned.toReversed()) await ('stop' in thing ? thing.stop() : thing.close());
    await closeRedis(redis);
    await server.stop();
  });
  return {
    redis,
    log,
    connect: (name) => connect('worker', name),
    own(thing) {
      owned.push(thing);
      return thing;
    },
  };
}
