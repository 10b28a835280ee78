import { type SeenProcess, readProcesses, readRedis } from '@passport/queue';
import type { Redis } from '@passport/runtime';

/** What the overview shows of Redis. Its version is of use to an attacker alone. */
export interface RedisState {
  readonly memoryUsedBytes: number | null;
  /** 0: as much as the machine has. */
  readonly memoryLimitBytes: number | null;
  readonly policy: string | null;
  readonly keepsAof: boolean | null;
}

/** What runs: the processes, and the Redis behind them; null where it does not say (INFO is not allowed). */
export interface ServiceState {
  readonly processes: readonly SeenProcess[];
  readonly redis: RedisState | null;
}

/** Reads what runs; rejects when Redis does not answer. */
export async function readService(redis: Redis): Promise<ServiceState> {
  const [processes, state] = await Promise.all([readProcesses(redis), readRedisState(redis)]);
  return { processes, redis: state };
}

async function readRedisState(redis: Redis): Promise<RedisState | null> {
  try {
    const { memoryUsedBytes, memoryLimitBytes, policy, keepsAof } = await readRedis(redis);
    return { memoryUsedBytes, memoryLimitBytes, policy, keepsAof };
  } catch {
    // Whether Redis answers at all, the list of processes says.
    return null;
  }
}
