import { freePort } from './free-port.ts';
import { type StartedRedis, startRedis } from './start-redis.ts';
import { waitFor } from './wait-for.ts';

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
  const cluster = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
  return startRedis({ args: [...cluster, '--cluster-port', String(busPort)] });
}
