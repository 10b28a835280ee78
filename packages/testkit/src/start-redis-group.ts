import { freePort } from './free-port.ts';
import { clusterSettings, startRedis, type StartedRedis } from './start-redis.ts';
import { waitFor } from './wait-for.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRedis } from './call-redis.ts';
import { findRedisServer } from './find-program.ts';
import { startProcess } from './start-process.ts';

const SLOTS = 16_384;

/** Starts `count` Redis servers that share the slots of one cluster, on 127.0.0.1; the caller stops them. */
export async function startRedisCluster(
  count: number,
): Promise<{ readonly url: string; readonly nodes: readonly StartedRedis[] }> {
  const busPorts = await Promise.all(Array.from({ length: count }, freePort));
  const nodes = await Promise.all(busPorts.map(startNode));
  const [first] = nodes;
  await Promise.all(
    nodes.map(async (node, place) => {
      const from = Math.ceil((SLOTS * place) / count);
      const to = Math.ceil((SLOTS * (place + 1)) / count) - 1;
      await node.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    }),
  );
  for (const [place, node] of nodes.entries()) {
    await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(node.port), String(busPorts[place]));
  }
  for (const node of nodes) {
    await waitFor(
      'the cluster to be whole',
      async () => {
        const info = String(await node.call('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`);
      },
      { timeoutMs: 20_000 },
    );
  }
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  return { url: `redis+cluster://${hosts.join()}`, nodes };
}

function startNode(busPort: number): Promise<StartedRedis> {
  const settings = Object.entries(clusterSettings(busPort));
  return startRedis({ args: settings.flatMap(([name, value]) => [`--${name}`, value]) });
}

interface StartedSentinel {
  readonly port: number;
  call(...command: string[]): Promise<unknown>;
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
