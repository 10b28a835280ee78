import { PROCESS_KINDS, type ProcessKind, type SeenProcess } from '@passport/queue/processes';
import { type Html, html } from '../shell/html.ts';
import { table, timeElement } from '../shell/parts.ts';
import { countLive, type RedisState, type ServiceState } from './service-state.ts';

const NAMES: Readonly<Record<ProcessKind, string>> = {
  worker: 'Workers',
  receiver: 'Receivers',
  dashboard: 'Dashboards',
};
const MEGABYTE = 1024 * 1024;

/** What runs: how many processes of each kind, and Redis. */
export function serviceSection(service: ServiceState, nowMs: number): Html {
  const { processes, redis, isDetailed } = service;
  return html`<section aria-labelledby="service-title">
    <h2 id="service-title">Service</h2>
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
