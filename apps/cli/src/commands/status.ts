import { OPERATOR_PAGES, operatorLink } from '@passport/contract';
import { type Library, type SidePause, pausesAt } from '@passport/config';
import { readRedis } from '@passport/queue/metrics';
import {
  CONDITION_WORDS,
  type LibraryState,
  PAUSE_SIDES,
  type SeenProcess,
  isWell,
  problemText,
  readControl,
  readLibraryStates,
  readProcesses,
} from '@passport/queue/processes';
import { openReportQueue } from '@passport/queue/reports';
import { readQueue } from '@passport/queue/scans';
import { type SetUpSeen, faultsOf, readSetUps } from '@passport/queue/sweeps';
import { durationText, localTime, relativeTime, timeText } from '@passport/runtime';
import { findInRedis } from './doctor/check-service.ts';
import type { Finding } from '@passport/set-up';
import { printLink, serviceLink } from './doctor/finding-links.ts';
import { printFindings } from './doctor/print-findings.ts';
import { type OpenQueue, withQueue } from '../connect/with-queue.ts';
import { nameRows, type CliDeps, defineCommand, flag, type Report } from '../program/index.ts';

/** One library as all workers see it, and what it is paused as. */
interface SeenLibrary {
  readonly library: Library;
  readonly state: LibraryState;
  readonly pauses: readonly SidePause[];
  /** What the last nightly check of its set-up found; null: there was none. */
  readonly setUp: SetUpSeen | null;
}

/** What `passport status` reads in one go. */
async function read(open: OpenQueue) {
  const { redis, queue, consortium } = open;
  const reports = openReportQueue(redis);
  try {
    const ids = consortium.libraries.map(({ id }) => id);
    const nowMs = await open.now();
    const [states, { pauses }, processes, figures, facts, setUps, reportCounts] = await Promise.all([
      readLibraryStates(redis, ids, nowMs),
      readControl(redis),
      readProcesses(redis),
      readQueue(redis, queue, ids, nowMs),
      readRedis(redis),
      readSetUps(redis),
      reports.getJobCounts('prioritized', 'wait', 'active', 'delayed', 'failed'),
    ]);
    const libraries = consortium.libraries.flatMap((library, place): SeenLibrary[] => {
      const state = states[place];
      if (state === undefined) return [];
      const own = pauses.filter((pause) => pause.library === library.id);
      const setUp = setUps.get(library.id) ?? null;
      return [{ library, state, pauses: pausesAt(library.windows, own, nowMs), setUp }];
    });
    const { dashboard } = consortium.public;
    return { nowMs, dashboard, libraries, processes, figures, redis: facts, reports: reportCounts };
  } finally {
    await reports.close();
  }
}
type Status = Awaited<ReturnType<typeof read>>;

/** Libraries whose backlog is shown. */
const SHOWN = 10;

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;

/** Who needs a person comes first, then who is paused, then who is well. */
const rankOf = ({ library, state, pauses, setUp }: SeenLibrary): number => {
  if (!library.enabled) return 100;
  const rank = Object.keys(CONDITION_WORDS).indexOf(state.condition);
  return isWell(state) && pauses.length === 0 && faultsOf(setUp).length === 0 ? rank + 10 : rank;
};

/** Somebody has to look at it. */
const needsPerson = ({ library, state, setUp }: SeenLibrary): boolean =>
  library.enabled && !(isWell(state) && faultsOf(setUp).length === 0);

/** Nobody has to look at it, nor wonders why nothing comes of it. */
const isQuiet = (each: SeenLibrary): boolean => rankOf(each) >= 10;

function pauseText(pauses: readonly SidePause[], nowMs: number): string[] {
  const texts = pauses.map(
    ({ until_ms: untilMs, reason }) => `until ${timeText(untilMs, nowMs)} (${reason})`,
  );
  if (pauses.length === PAUSE_SIDES.length && new Set(texts).size === 1) return [`paused ${texts[0] ?? ''}`];
  return pauses.map(({ side }, place) => `paused as ${side} library ${texts[place] ?? ''}`);
}

/** Of one library; `passport doctor --last` has them all. */
const FAULTS_SHOWN = 2;

/** The faults of the nightly check, by code: `set-up: category_unknown PT (checked 3 hours ago)`. */
function setUpText(setUp: SetUpSeen | null, nowMs: number): string[] {
  const faults = faultsOf(setUp).map(({ code, name }) => (name === null ? code : `${code} ${name}`));
  if (faults.length === 0) return [];
  const more = faults.length > FAULTS_SHOWN ? ` and ${faults.length - FAULTS_SHOWN} more` : '';
  const atMs = setUp?.at_ms ?? null;
  const checked = atMs === null ? 'not checked yet' : `checked ${relativeTime(atMs, nowMs)}`;
  return [`set-up: ${faults.slice(0, FAULTS_SHOWN).join(', ')}${more} (${checked})`];
}

function libraryText({ library, state, pauses, setUp }: SeenLibrary, nowMs: number): string {
  if (!library.enabled) return 'not enabled';
  const { condition, openSinceMs, lastFailure, lastSuccessMs, problem } = state;
  const why = condition === 'open' ? lastFailure : problem === null ? null : problemText(problem);
  const since = condition === 'open' && openSinceMs !== null ? ` since ${timeText(openSinceMs, nowMs)}` : '';
  const seen = [
    `${CONDITION_WORDS[condition]}${since}${why === null ? '' : ` (${why})`}`,
    ...(lastSuccessMs === null ? [] : [`last success ${relativeTime(lastSuccessMs, nowMs)}`]),
  ].join(', ');
  const paused = pauseText(pauses, nowMs);
  return [...(paused.length > 0 && isWell(state) ? [] : [seen]), ...paused, ...setUpText(setUp, nowMs)].join(
    '; ',
  );
}

/** What is not well, and how many libraries are. */
function printLibraries({ libraries, nowMs, dashboard }: Status, isAll: boolean, report: Report): void {
  const { line, colors, width } = report;
  line(colors.bold('libraries'));
  const shown = libraries
    .filter((each) => isAll || !isQuiet(each))
    .toSorted((one, other) => rankOf(one) - rankOf(other));
  const rows = shown.map((each) => [each.library.id, libraryText(each, nowMs)] as const);
  for (const [place, lines] of nameRows(rows, width - 2).entries()) {
    const each = shown[place];
    const isCalm = each === undefined || !needsPerson(each);
    const paint = isCalm ? String : each.state.condition === 'slow' ? colors.yellow : colors.red;
    for (const text of lines) line(`  ${paint(text)}`);
  }
  if (libraries.some(needsPerson)) printLink(operatorLink(dashboard, OPERATOR_PAGES.overview()), report);
  const quiet = libraries.filter(isQuiet);
  if (isAll || quiet.length === 0) return;
  const count = (condition: string): number =>
    quiet.filter(({ library, state }) => library.enabled && state.condition === condition).length;
  const disabled = quiet.filter(({ library }) => !library.enabled).length;
  const well = count('up');
  const others = [
    ...(well > 0 ? [`${well} ${well === 1 ? 'is' : 'are'} well`] : []),
    ...(count('unknown') > 0 ? [`${count('unknown')} ${CONDITION_WORDS.unknown}`] : []),
    ...(disabled > 0 ? [`${disabled} not enabled`] : []),
  ].join(', ');
  line(`  ${others}${shown.length > 0 ? ' (--all lists them)' : ''}`);
}

function printProcesses({ processes, nowMs }: Status, { line, colors, width }: Report): void {
  line(colors.bold('processes'));
  const rows = processes.map(({ kind, version, host, isLive, sinceMs, lastSeenMs }) => {
    const how = isLive
      ? `live  for ${durationText(nowMs - sinceMs)}`
      : `gone  last seen ${timeText(lastSeenMs, nowMs)}`;
    return [`${kind.padEnd(10)} ${version.padEnd(8)} ${host}`, how] as const;
  });
  for (const [place, lines] of nameRows(rows, width - 2).entries()) {
    const { isLive = false, config = null } = processes[place] ?? {};
    const paint = isLive ? colors.green : colors.red;
    for (const text of lines) line(`  ${text.replace(/(?<= )(?:live|gone)(?= {2})/, paint)}`);
    if (isLive && config !== null) {
      const loaded = localTime(config.loaded_ms);
      line(colors.dim(`${''.padEnd(13)}configuration ${config.hash}, loaded ${loaded}`));
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
      : `  oldest unfinished event: ${durationText(oldestSeconds * 1_000)}`,
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

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

const libraryOf = ({ library, state, pauses, setUp }: SeenLibrary) => ({
  id: library.id,
  enabled: library.enabled,
  state: state.condition,
  away_since: isoOrNull(state.openSinceMs),
  last_success: isoOrNull(state.lastSuccessMs),
  last_failure: isoOrNull(state.lastFailureMs),
  failure: state.lastFailure,
  problem: state.problem,
  paused: pauses.map(({ side, until_ms: untilMs, reason }) => ({ as: side, until: iso(untilMs), reason })),
  set_up:
    setUp === null
      ? null
      : {
          checked: isoOrNull(setUp.at_ms),
          unchecked_since: isoOrNull(setUp.unchecked_since_ms ?? null),
          findings: setUp.findings,
        },
});

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
  const { libraries, processes, figures, redis, reports, dashboard } = status;
  const faults = findings.filter(({ level }) => level === 'fault').length;
  return {
    ok: faults === 0,
    libraries: libraries.map((each) => {
      const link = needsPerson(each)
        ? operatorLink(dashboard, OPERATOR_PAGES.library(each.library.id))
        : null;
      return { ...libraryOf(each), link };
    }),
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
    link: serviceLink(dashboard, findings),
  };
}

export const statusCommand = defineCommand({
  summary: 'show libraries, processes, queue and Redis at a glance',
  description:
    'Shows the libraries that are away, misconfigured, slow or paused, as the workers see them, and those whose set-up has a fault by the nightly check (with --all every one), the processes that are live, with their versions and configurations, how many events are in which state, the age of the oldest unfinished ' +
    'event, the backlog of libraries, and Redis. Says what is wrong with it, as doctor does, and calls no Koha. Exit code 1 when no worker or no ' +
    'receiver is live, or Redis is not safe.',
  examples: [
    'passport status',
    "passport status --json | jq '.queue.oldest_seconds'",
    'watch -n 5 passport status',
  ],
  options: { all: flag('list libraries that are well, too') },
  run: ({ all }, _args, report, deps: CliDeps) =>
    withQueue(deps, async (open): Promise<0 | 1> => {
      const status = await read(open);
      const { redis, consortium, fileHash } = open;
      const asked = { fileHash, nowMs: status.nowMs };
      const findings = await findInRedis(redis, consortium.libraries, asked, deps);
      printLibraries(status, all === true, report);
      printProcesses(status, report);
      printQueue(status, report);
      printRedis(status, report);
      printFindings(findings, report);
      printLink(serviceLink(status.dashboard, findings), report);
      const json = jsonOf(status, findings);
      report.json(json);
      return json.ok ? 0 : 1;
    }),
});
