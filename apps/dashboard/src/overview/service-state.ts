import { readRedis } from '@passport/queue/metrics';
import { type SeenProcess, readProcesses } from '@passport/queue/processes';
import type { Redis } from '@passport/runtime';
import type { Scope } from '../login/login.ts';

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

/** Something that an operator should do about the service itself; `isGrave`: scans do not get on until it is done. */
export interface ServiceFault {
  readonly isGrave: boolean;
  readonly sentence: string;
}

/** From here on Redis soon accepts nothing more. */
const MEMORY_SHARE = 0.8;

/** What is wrong with the processes and with Redis, the gravest first. */
export function serviceFaults({ processes, redis }: ServiceState): readonly ServiceFault[] {
  const faults = [...faultsOfProcesses(processes), ...(redis === null ? [] : faultsOfRedis(redis))];
  return faults.toSorted((a, b) => Number(b.isGrave) - Number(a.isGrave));
}

/** How many processes of a kind are live. */
export function countLive(processes: readonly SeenProcess[], kind: SeenProcess['kind']): number {
  return processes.filter((each) => each.kind === kind && each.isLive).length;
}

function faultsOfProcesses(processes: readonly SeenProcess[]): readonly ServiceFault[] {
  const faults: ServiceFault[] = [];
  if (countLive(processes, 'worker') === 0) {
    faults.push(grave('No worker is running. Scans are accepted but not processed: start one.'));
  }
  if (countLive(processes, 'receiver') === 0) {
    faults.push(grave('No receiver is running. Desks get no answer, and no scan arrives: start one.'));
  }
  const missing = processes.filter(({ isLive }) => !isLive).length;
  if (missing > 0) {
    const which = missing === 1 ? '1 process has' : `${missing} processes have`;
    faults.push(warning(`${which} disappeared in the last ten minutes without being stopped.`));
  }
  const versions = [
    ...new Set(processes.filter(({ isLive }) => isLive).map(({ version }) => version)),
  ].toSorted();
  if (versions.length > 1) {
    const sentence = `Processes of different versions are running (${versions.join(', ')}). This is expected only during an upgrade.`;
    faults.push(warning(sentence));
  }
  return [...faults, ...faultsOfConfigurations(processes.filter(({ isLive }) => isLive))];
}

function faultsOfConfigurations(live: readonly SeenProcess[]): readonly ServiceFault[] {
  const faults: ServiceFault[] = [];
  const problem = live.flatMap(({ refused }) => refused?.problems ?? [])[0];
  if (problem !== undefined) {
    faults.push(
      warning(`The last change of the configuration was refused, and is not in force: ${problem}.`),
    );
  }
  const hashes = [
    ...new Set(live.flatMap(({ config }) => (config === null ? [] : [config.hash]))),
  ].toSorted();
  if (hashes.length > 1) {
    const sentence = `Processes have different configurations (${hashes.join(', ')}): run passport config reload.`;
    faults.push(warning(sentence));
  }
  return faults;
}

function faultsOfRedis(redis: RedisState): readonly ServiceFault[] {
  const { policy, keepsAof, memoryUsedBytes, memoryLimitBytes } = redis;
  const faults: ServiceFault[] = [];
  if (policy !== null && policy !== 'noeviction') {
    faults.push(warning('Redis may evict keys when it is full, and scans with them: set noeviction.'));
  }
  if (keepsAof === false) {
    faults.push(warning('Redis keeps no append-only file: a restart loses scans. Set appendonly yes.'));
  }
  const used = memoryUsedBytes ?? 0;
  const limit = memoryLimitBytes ?? 0;
  if (limit > 0 && used / limit > MEMORY_SHARE) {
    const percent = Math.round((used / limit) * 100);
    faults.push(warning(`Redis uses ${percent} % of its memory. When it is full, no scan is accepted.`));
  }
  return faults;
}

const grave = (sentence: string): ServiceFault => ({ isGrave: true, sentence });
const warning = (sentence: string): ServiceFault => ({ isGrave: false, sentence });
