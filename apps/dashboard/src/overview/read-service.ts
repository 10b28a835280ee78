import { type SeenProcess, readProcesses, readRedis } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import type { Scope } from '../login/scope.ts';

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
  /** Machines, and what is wrong with the configuration: it names the libraries of the consortium. */
  readonly isDetailed: boolean;
}

/** Reads what runs; rejects when Redis does not answer. Who may see some libraries only sees that it runs. */
export async function readService(redis: Redis, scope: Scope): Promise<ServiceState> {
  const [processes, state] = await Promise.all([readProcesses(redis), readRedisState(redis)]);
  if (scope === 'all') return { processes, redis: state, isDetailed: true };
  const bare = processes.map((each) => ({ ...each, host: '', config: null, refused: null }));
  return { processes: bare, redis: state, isDetailed: false };
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
