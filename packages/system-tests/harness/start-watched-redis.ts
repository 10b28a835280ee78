import { type StartedRedis, freePort, startRedis, startSentinel, waitFor } from '@passport/testkit';

/** A master with replicas, watched by a Sentinel that makes one of them the master when it is gone. */
export interface WatchedRedis {
  /** Names a Sentinel that is not there before the one that is. */
  readonly url: string;
  master(): Promise<StartedRedis>;
  replicas(): Promise<readonly StartedRedis[]>;
  /** Starts a killed one again, as a replica of whoever is the master now, and waits until it follows. */
  bringBack(node: StartedRedis): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'passport';

export async function startWatchedRedis(replicas: number): Promise<WatchedRedis> {
  const first = await startRedis({ appendonly: true });
  const others = await Promise.all(
    Array.from({ length: replicas }, () => startRedis({ replicaOf: first.port })),
  );
  const nodes = [first, ...others];
  await waitFor('the replicas to follow', () => isFollowedBy(replicas, first), { timeoutMs: 15_000 });
  const sentinel = await startSentinel({ name: NAME, masterPort: first.port });
  // Another failover is only begun when twice this has passed since the last one.
  await sentinel.call('SENTINEL', 'SET', NAME, 'failover-timeout', '1000');
  await waitFor(
    'the Sentinel to know the replicas',
    async () => {
      const known = String(await sentinel.call('SENTINEL', 'REPLICAS', NAME));
      return others.every(({ port }) => known.includes(String(port)));
    },
    { timeoutMs: 15_000 },
  );
  const masterPort = async (): Promise<number> => {
    const address = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    return Number(Array.isArray(address) ? address[1] : 0);
  };
  const master = async (): Promise<StartedRedis> => {
    const port = await masterPort();
    const found = nodes.find((node) => node.port === port);
    if (found === undefined) throw new Error('the Sentinel names a master that is not ours');
    return found;
  };
  return {
    url: `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/${NAME}`,
    master,
    replicas: async () => {
      const port = await masterPort();
      return nodes.filter((node) => node.port !== port);
    },
    async bringBack(node) {
      await node.restart();
      const present = await master();
      // The Sentinel may be faster, and then it is loading what the master has.
      await waitFor('it to follow', async () => {
        await node.call('REPLICAOF', '127.0.0.1', String(present.port));
        return true;
      });
      await waitFor('it to be in step', () => isFollowedBy(replicas, present), { timeoutMs: 15_000 });
    },
    async stop() {
      await sentinel.stop();
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function isFollowedBy(replicas: number, master: StartedRedis): Promise<boolean> {
  const info = String(await master.call('INFO', 'replication'));
  return (info.match(/state=online/g) ?? []).length === replicas;
}
