import { PROCESS_KINDS, type ProcessKind, readProcesses, readRedis, type SeenProcess } from '@passport/queue';
import type { Redis } from '@passport/runtime';
import type { Scope } from '../login/scope.ts';
import { type Html, html } from '../shell/html.ts';
import { table, timeElement } from '../shell/parts.ts';
import { countLive, serviceFaults } from './service-faults.ts';

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

const NAMES: Readonly<Record<ProcessKind, string>> = {
  worker: 'Workers',
  receiver: 'Receivers',
  dashboard: 'Dashboards',
};
const MEGABYTE = 1024 * 1024;

/** What runs: how many processes of each kind, Redis, and what is wrong with them. */
export function serviceSection(service: ServiceState, nowMs: number): Html {
  const { processes, redis, isDetailed } = service;
  const faults = serviceFaults(service);
  return html`<section aria-labelledby="service-title">
    <h2 id="service-title">Service</h2>
    ${faults.map(
      ({ isGrave, sentence }) =>
        html`<p class="fault ${isGrave ? 'fault-grave' : 'fault-warning'}">
          <strong>${isGrave ? 'Problem' : 'Warning'}:</strong> ${sentence}
        </p>`,
    )}
    <dl class="service">
      ${PROCESS_KINDS.map((kind) => kindState(kind, processes))}
      <div>
        <dt>Redis</dt>
        <dd><span class="state state-up">answers</span> ${redis === null ? null : memory(redis)}</dd>
      </div>
    </dl>
    ${isDetailed && processes.length > 0 ? processTable(processes, nowMs) : null}
  </section>`;
}

/** A dashboard shows this page, so that none of them is missed where it cannot be seen. */
function kindState(kind: ProcessKind, processes: readonly SeenProcess[]): Html {
  const live = countLive(processes, kind);
  const look = live > 0 ? 'up' : kind === 'dashboard' ? 'unknown' : 'open';
  return html`<div>
    <dt>${NAMES[kind]}</dt>
    <dd><span class="state state-${look}">${live === 0 ? 'none live' : `${live} live`}</span></dd>
  </div>`;
}

function memory({ memoryUsedBytes, memoryLimitBytes }: RedisState): Html | null {
  if (memoryUsedBytes === null) return null;
  const limit =
    memoryLimitBytes === null || memoryLimitBytes === 0
      ? ', no limit set'
      : ` of ${Math.round(memoryLimitBytes / MEGABYTE)} MB`;
  return html`<span class="quiet">${Math.ceil(memoryUsedBytes / MEGABYTE)} MB${limit}</span>`;
}

function processTable(processes: readonly SeenProcess[], nowMs: number): Html {
  const rows = processes.map(({ kind, isLive, version, host, config, sinceMs, lastSeenMs }) => [
    kind,
    html`<span class="state state-${isLive ? 'up' : 'open'}">${isLive ? 'live' : 'missing'}</span>`,
    version,
    host,
    config === null ? '' : html`<code>${config.hash}</code> ${timeElement(config.loaded_ms, nowMs)}`,
    timeElement(sinceMs, nowMs),
    timeElement(lastSeenMs, nowMs),
  ]);
  const heads = ['Process', 'State', 'Version', 'Machine', 'Configuration', 'Known since', 'Last seen'];
  return html`<details>
    <summary>Each process</summary>
    ${table({ label: 'Table of processes', className: 'plain', heads, rows })}
  </details>`;
}
