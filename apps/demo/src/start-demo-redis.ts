import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { callRedis, findRedisServer, freePort } from '@passport/testkit';
import { superviseProcess, type SupervisedProcess, type Surroundings } from './supervise-process.ts';

export interface DemoRedis extends SupervisedProcess {
  readonly url: string;
}

/**
 * Starts a Redis of the demo's own on a free port, set up as the product wants it: every write is on disk before it
 * is answered, and nothing is evicted.
 */
export async function startDemoRedis(
  surroundings: Surroundings & { readonly dir: string; readonly password: string },
): Promise<DemoRedis> {
  const { dir, password } = surroundings;
  const port = await freePort();
  const data = join(dir, 'redis');
  await mkdir(data, { recursive: true });
  const supervised = await superviseProcess({
    ...surroundings,
    name: 'redis',
    mark: `:${port}`,
    command: findRedisServer(surroundings.env['PATH']),
    args: Object.entries({
      bind: '127.0.0.1',
      port: String(port),
      requirepass: password,
      dir: data,
      appendonly: 'yes',
      appendfsync: 'always',
      save: '',
      'maxmemory-policy': 'noeviction',
    }).flatMap(([name, value]) => [`--${name}`, value]),
    logFile: join(dir, 'logs/redis.log'),
    isReady: async () => (await callRedis({ port, password }, ['PING'])) === 'PONG',
  });
  return { ...supervised, url: `redis://:${password}@127.0.0.1:${port}` };
}
