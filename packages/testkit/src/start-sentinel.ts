import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRedis, type RedisReply } from './call-redis.ts';
import { freePort } from './free-port.ts';
import { findRedisServer } from './redis-binary.ts';
import { startProcess } from './start-process.ts';

export interface StartedSentinel {
  readonly port: number;
  call(...command: string[]): Promise<RedisReply>;
  stop(): Promise<void>;
}

/**
 * Starts one Sentinel that watches the master of 127.0.0.1 at `masterPort` under `name` and fails over after
 * 500 ms, without another one that agrees. Sentinels that watch the same master find each other.
 */
export async function startSentinel(options: {
  name: string;
  masterPort: number;
  password?: string;
}): Promise<StartedSentinel> {
  const { name, masterPort, password } = options;
  const dir = await mkdtemp(join(tmpdir(), 'passport-sentinel-'));
  const port = await freePort();
  const file = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 3000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const server = await startProcess({
    command: findRedisServer(),
    args: [file, '--sentinel'],
    readyWhen: async () => (await callRedis({ port }, ['PING'])) === 'PONG',
  });
  return {
    port,
    call: (...command) => callRedis({ port }, command),
    async stop() {
      await server.stop(500);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
