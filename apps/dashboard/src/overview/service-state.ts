import { readRedis } from '@passport/queue/metrics';
import { type SeenProcess, readProcesses } from '@passport/queue/processes';
import { type Asker, type ServiceFinding, readServiceFindings } from '@passport/queue/service';
import type { Redis } from '@passport/runtime';
import type { Scope } from '../login/login.ts';

/** What the overview shows of Redis. Its version is of use to an attacker alone. */
export interface RedisState {
  readonly memoryUsedBytes: number | null;
  /** 0: as much as the machine has. */
  readonly memoryLimitBytes: number | null;
}

/** What runs: the processes, and the Redis behind them; null where it does not say (INFO is not allowed). */
export interface ServiceState {
  readonly processes: readonly SeenProcess[];
  readonly redis: RedisState | null;
  /** Whether machines and configurations are shown: they name what is not of one library. */
  readonly isDetailed: boolean;
  readonly findings: readonly ServiceFinding[];
}

/** Reads what runs and what is wrong with it; rejects when Redis does not answer. Who may see some libraries sees of machines nothing. */
export async function readService(
  redis: Redis,
  scope: Scope,
  { ids, asker, nowMs }: { readonly ids: readonly string[]; readonly asker: Asker; readonly nowMs: number },
): Promise<ServiceState> {
  const [processes, state, findings] = await Promise.all([
    readProcesses(redis),
    readRedisState(redis),
    readServiceFindings(redis, ids, asker, nowMs),
  ]);
  if (scope === 'all') return { processes, redis: state, isDetailed: true, findings };
  const bare = processes.map((each) => ({ ...each, host: '', config: null, refused: null }));
  const seen = findings.filter(({ host, code }) => host === null && code !== 'unknown_sender');
  return { processes: bare, redis: state, isDetailed: false, findings: seen };
}

async function readRedisState(redis: Redis): Promise<RedisState | null> {
  try {
    const { memoryUsedBytes, memoryLimitBytes } = await readRedis(redis);
    return { memoryUsedBytes, memoryLimitBytes };
  } catch {
    // Whether Redis answers at all, the list of processes says.
    return null;
  }
}

/** How many processes of a kind are live. */
export function countLive(processes: readonly SeenProcess[], kind: SeenProcess['kind']): number {
  return processes.filter((each) => each.kind === kind && each.isLive).length;
}
