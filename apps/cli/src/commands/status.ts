import { readRedis } from '@passport/queue/metrics';
import { type SeenProcess, readProcesses } from '@passport/queue/processes';
import { openReportQueue } from '@passport/queue/reports';
import { readQueue } from '@passport/queue/scans';
import { cliConfig } from '@passport/config';
import { checkProcesses, checkRedis } from './doctor/check-service.ts';
import { type Finding, printFindings } from './doctor/finding.ts';
import { type OpenQueue, withQueueOf } from '../connect/with-queue.ts';
import { type CliDeps, defineCommand, type Report } from '../program/index.ts';

/** What `passport status` reads in one go. */
async function read(open: OpenQueue) {
  const { redis, queue, consortium } = open;
  const reports = openReportQueue(redis);
  try {
    const ids = consortium.libraries.map(({ id }) => id);
    const nowMs = await open.now();
    const [processes, figures, facts, reportCounts] = await Promise.all([
      readProcesses(redis),
      readQueue(redis, queue, ids, nowMs),
      readRedis(redis),
      reports.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'failed'),
    ]);
    return { nowMs, processes, figures, redis: facts, reports: reportCounts };
  } finally {
    await reports.close();
  }
}
type Status = Awaited<ReturnType<typeof read>>;

/** Libraries whose backlog is shown. */
const SHOWN = 10;

function lasting(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

function printProcesses({ processes, nowMs }: Status, { line, colors }: Report): void {
  line(colors.bold('processes'));
  const longest = Math.min(30, Math.max(0, ...processes.map(({ host }) => host.length)));
  for (const { kind, version, host, isLive, sinceMs, lastSeenMs, config } of processes) {
    const how = isLive
      ? `${colors.green('live')}  for ${lasting(nowMs - sinceMs)}`
      : `${colors.red('gone')}  last seen ${lasting(nowMs - lastSeenMs)} ago`;
    line(`  ${kind.padEnd(10)} ${version.padEnd(8)} ${host.padEnd(longest)}  ${how}`);
    if (isLive && config !== null) {
      const loaded = lasting(nowMs - config.loaded_ms);
      line(colors.dim(`${''.padEnd(13)}configuration ${config.hash}, loaded ${loaded} ago`));
    }
  }
  if (processes.length === 0) line(`  ${colors.red('none')}`);
}

function printQueue({ figures, reports }: Status, { line, colors }: Report): void {
  const { jobs, oldestSeconds, backlogs } = figures;
  line(colors.bold('queue'));
  line(
    `  ${Object.entries(jobs)
      .map(([state, number]) => `${state} ${number}`)
      .join(', ')}`,
  );
  const unfinished = jobs.queued + jobs.working + jobs.waiting;
  line(
    unfinished === 0
      ? '  no unfinished event'
      : `  oldest unfinished event: ${lasting(oldestSeconds * 1_000)}`,
  );
  const waiting = Object.entries(backlogs)
    .filter(([, number]) => number > 0)
    .toSorted(([, one], [, other]) => other - one);
  for (const [library, number] of waiting.slice(0, SHOWN)) line(`  ${library}: ${number} unfinished`);
  if (waiting.length > SHOWN) line(`  and ${waiting.length - SHOWN} more libraries`);
  const { failed = 0, ...pending } = reports;
  const count = Object.values(pending).reduce((sum, number) => sum + number, 0);
  line(`  reports to Kohas: ${count} pending, ${failed} failed`);
}

function printRedis({ redis }: Status, { line, colors }: Report): void {
  const { version, memoryUsedBytes: used, memoryLimitBytes: limit, policy, keepsAof } = redis;
  const memory =
    used === null
      ? []
      : [limit === null || limit === 0 ? megabytes(used) : `${megabytes(used)} of ${megabytes(limit)}`];
  const parts = [
    version ?? 'unknown version',
    ...memory,
    ...(policy === null ? [] : [policy]),
    ...(keepsAof === null ? [] : [keepsAof ? 'append-only file' : 'no append-only file']),
  ];
  line(colors.bold('redis'));
  line(`  ${parts.join(', ')}`);
}

const iso = (ms: number): string => new Date(ms).toISOString();

const processOf = ({ kind, version, host, sinceMs, lastSeenMs, isLive, config, refused }: SeenProcess) => ({
  kind,
  version,
  host,
  live: isLive,
  since: iso(sinceMs),
  last_seen: iso(lastSeenMs),
  config: config === null ? null : { hash: config.hash, loaded: iso(config.loaded_ms) },
  refused: refused === null ? null : { at: iso(refused.at_ms), problems: refused.problems },
});

function jsonOf(status: Status, findings: readonly Finding[]) {
  const { processes, figures, redis, reports } = status;
  const faults = findings.filter(({ level }) => level === 'fault').length;
  return {
    ok: faults === 0,
    processes: processes.map(processOf),
    queue: { ...figures.jobs, oldest_seconds: figures.oldestSeconds, backlogs: figures.backlogs, reports },
    redis: {
      version: redis.version,
      memory_used_bytes: redis.memoryUsedBytes,
      memory_limit_bytes: redis.memoryLimitBytes,
      policy: redis.policy,
      aof: redis.keepsAof,
    },
    findings,
  };
}

export const statusCommand = defineCommand({
  summary: 'show processes, queue and Redis at a glance',
  description:
    'Shows the processes that are live, with their versions and configurations, how many events are in which state, the age of the oldest unfinished ' +
    'event, the backlog of libraries, and Redis. Says what is wrong with it, as doctor does, and calls no Koha. Exit code 1 when no worker or no ' +
    'receiver is live, or Redis is not safe.',
  examples: [
    'passport status',
    "passport status --json | jq '.queue.oldest_seconds'",
    'watch -n 5 passport status',
  ],
  run: (_options, _args, report, deps: CliDeps) => {
    const config = cliConfig(deps.env, deps.readFile);
    return withQueueOf(config, async (open): Promise<0 | 1> => {
      const status = await read(open);
      const wanted = { version: deps.version, fileHash: config.fileHash };
      const findings = [...checkProcesses(status.processes, wanted), ...checkRedis(status.redis)];
      printProcesses(status, report);
      printQueue(status, report);
      printRedis(status, report);
      printFindings(findings, report);
      const json = jsonOf(status, findings);
      report.json(json);
      return json.ok ? 0 : 1;
    });
  },
});
