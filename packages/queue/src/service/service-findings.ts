import { SERVICE_FINDINGS, type ServiceFindingCode, startCommand } from '@passport/contract';
import { type Redis, durationText, localTime } from '@passport/runtime';
import { type LibraryState, type SeenProcess, readLibraryStates, readProcesses } from '../processes/index.ts';
import { type RedisReading, readRedis } from '../metrics/index.ts';
import { inBatches } from '../redis/index.ts';
import { type RefusedDeliveries, openRefusedDeliveries } from './refused-deliveries.ts';
import { openUnreadableJobs } from './unreadable-jobs.ts';

/**
 * One thing that is wrong with the service, as Redis and the processes show it, and what to do about it. `fault`: scans fail or wait until
 * somebody acts.
 */
export interface ServiceFinding {
  readonly level: 'fault' | 'warning';
  readonly code: ServiceFindingCode;
  /** The library that it is about, or null. Then `problem` has no subject: whoever shows it puts the library's name before it. */
  readonly library: string | null;
  /** The machine that it is about, or null. */
  readonly host: string | null;
  readonly problem: string;
  readonly remedy: string;
}

/** Who asks: what the processes are compared with. */
export interface Asker {
  /** As it is called in a sentence: `this command`. */
  readonly name: string;
  readonly version: string;
  /** The hash of its configuration, and what that is called: `the file here`. */
  readonly configuration: { readonly name: string; readonly hash: string };
  /** How the service was installed, as `PASSPORT_INSTALL` says it. */
  readonly install?: string | undefined;
}

type Findings = Generator<ServiceFinding, void>;

const finding =
  (level: ServiceFinding['level']) =>
  (
    code: ServiceFindingCode,
    problem: string,
    remedy: string,
    about: { readonly library?: string; readonly host?: string } = {},
  ): ServiceFinding => ({
    level,
    code,
    library: about.library ?? null,
    host: about.host ?? null,
    problem,
    remedy,
  });
const fault = finding('fault');
const warning = finding('warning');

/** The section of the runbook about a finding. */
export const sectionOf = ({ code }: Pick<ServiceFinding, 'code'>): string => SERVICE_FINDINGS[code];

/**
 * What is wrong with the service, the gravest first; of libraries, with `libraries` (ids) only. Without `asker`, versions and
 * configurations are not compared. A Redis that does not say how it is (INFO is
 * not allowed) is taken for well. Rejects where Redis does not answer.
 */
export async function readServiceFindings(
  redis: Redis,
  libraries: readonly string[],
  asker: Asker | null,
  nowMs: number,
): Promise<readonly ServiceFinding[]> {
  const [processes, reading, refused, states, unreadable] = await Promise.all([
    readProcesses(redis),
    readRedis(redis).catch(() => null),
    openRefusedDeliveries(redis).read(nowMs),
    inBatches(libraries, (some) => readLibraryStates(redis, some, nowMs)),
    openUnreadableJobs(redis).list(),
  ]);
  const found = [
    // A full Redis takes no announcement: who is live cannot be known.
    ...(isFull(reading) ? [] : findProcessFaults(processes, asker)),
    ...(reading === null ? [] : findRedisFaults(reading)),
    ...findRefusals(refused, libraries),
    ...findRefusedReports(states),
    ...findUnreadable(unreadable),
  ];
  return found.toSorted((one, other) => Number(other.level === 'fault') - Number(one.level === 'fault'));
}

/** From here on Redis soon accepts nothing more; as in PassportRedisFilling (deploy/prometheus/alerts.yml). */
const MEMORY_SHARE = 0.75;

const isFull = (reading: RedisReading | null): boolean =>
  (reading?.memoryLimitBytes ?? 0) > 0 && (reading?.memoryUsedBytes ?? 0) >= (reading?.memoryLimitBytes ?? 0);

/** Whether a Redis keeps what it is given, and has room for more. */
export function* findRedisFaults({
  policy,
  keepsAof,
  memoryUsedBytes,
  memoryLimitBytes,
}: RedisReading): Findings {
  if (policy !== null && policy !== 'noeviction') {
    const problem = `Redis may evict events: maxmemory-policy is ${policy}`;
    yield fault(
      'redis_policy',
      problem,
      'set maxmemory-policy noeviction, and share this Redis with no cache',
    );
  }
  if (keepsAof === false) {
    const problem = 'Redis keeps no append-only file: a restart loses events';
    yield warning('redis_no_file', problem, 'set appendonly yes');
  }
  const [used, limit] = [memoryUsedBytes ?? 0, memoryLimitBytes ?? 0];
  if (limit > 0 && used / limit > MEMORY_SHARE) {
    const percent = Math.round((used / limit) * 100);
    const problem = `Redis uses ${percent} % of its memory: once it is full, no scan is accepted`;
    yield warning('redis_filling', problem, 'raise maxmemory, or find what fills it');
  }
}

const where = ({ kind, host }: SeenProcess): string => `the ${kind} on ${host}`;

/**
 * Whether the processes that are needed are live, and of the version and the configuration of who asks. Processes of two versions are a
 * warning, since an upgrade is rolling; no worker of the right version is a fault.
 */
export function* findProcessFaults(processes: readonly SeenProcess[], asker: Asker | null): Findings {
  const live = processes.filter(({ isLive }) => isLive);
  const workers = live.filter(({ kind }) => kind === 'worker');
  if (workers.length === 0) {
    const remedy = startCommand('worker', asker?.install);
    yield fault('no_worker', 'no worker is live: events are accepted and not processed', remedy);
  }
  if (!live.some(({ kind }) => kind === 'receiver')) {
    const remedy = startCommand('receiver', asker?.install);
    yield fault('no_receiver', 'no receiver is live: desks get no answer, and no scan arrives', remedy);
  }
  if (asker !== null) yield* findOtherVersions(live, asker);
  for (const process of live) {
    if (asker !== null) yield* findConfigurationFaults(process, asker);
    yield* findSharedAddress(process);
    yield* findLostLog(process);
  }
  for (const gone of processes.filter(({ isLive }) => !isLive)) {
    const problem = `${where(gone)} has disappeared without being stopped`;
    yield warning('process_gone', problem, 'look at its log and at its machine', gone);
  }
}

function* findOtherVersions(live: readonly SeenProcess[], asker: Asker): Findings {
  const isCurrent = live.some(({ kind, version }) => kind === 'worker' && version === asker.version);
  for (const other of live.filter(({ version }) => version !== asker.version)) {
    const problem = `${where(other)} is of version ${other.version}, and ${asker.name} of ${asker.version}`;
    const remedy = 'upgrade what is older, in the order of the runbook (Upgrade)';
    const isFault = other.kind === 'worker' && !isCurrent;
    yield (isFault ? fault : warning)('process_version', problem, remedy, other);
  }
}

function* findConfigurationFaults(process: SeenProcess, { configuration }: Asker): Findings {
  const { config, refused } = process;
  if (refused !== null) {
    const problem = `${where(process)} has refused the configuration: ${refused.problems[0] ?? ''}`;
    const remedy = 'correct it (passport config check), then passport config reload';
    yield fault('config_refused', problem, remedy, process);
  } else if (config !== null && config.hash !== configuration.hash) {
    const { name, hash } = configuration;
    const problem = `${where(process)} has another configuration (${config.hash}) than ${name} (${hash})`;
    yield warning('config_differs', problem, 'passport config reload', process);
  }
}

const TRUST =
  'set TRUST_PROXY to the proxy that is in front of it (uniquelocal with compose, loopback on this machine), and restart; see TRUST_PROXY in reverse-proxy.md';
const ONE_ADDRESS = {
  dashboard:
    'wrong passwords of any stranger lock out, with the right password, everybody who is not logged in yet',
  receiver: 'they have 256 connections together, and strangers use them up',
};

function* findSharedAddress(process: SeenProcess): Findings {
  const { kind, shares_address: sharesAddress } = process;
  if (!sharesAddress || kind === 'worker') return;
  const problem = `${where(process)} takes all its clients for one address, behind a proxy that it does not trust or in a container: ${ONE_ADDRESS[kind]}`;
  yield warning('shared_address', problem, TRUST, process);
}

function* findLostLog(process: SeenProcess): Findings {
  const { log_fails: fails, audit_lost: lost } = process;
  const lines = lost === 1 ? '1 audit line' : `${lost} audit lines`;
  const remedy = 'make room where its log is kept';
  if (fails) {
    const problem = `${where(process)} cannot write its log: ${lines} lost since it started`;
    yield fault('log_lost', problem, remedy, process);
  } else if (lost > 0) {
    const problem = `${where(process)} has lost ${lines} of its log since it started`;
    yield warning('log_lost', problem, 'find why its log could not be written, then restart it', process);
  }
}

const WHY_REFUSED: Readonly<Record<RefusedDeliveries['reason'], (seen: RefusedDeliveries) => string>> = {
  clock: ({ seconds_ahead: ahead }) =>
    `its clock is ${durationText(Math.abs(ahead) * 1_000)} ${ahead > 0 ? 'ahead' : 'behind'}`,
  library: () => 'its plugin sends under the id of another library',
  signature: () => 'its secret is another one, or somebody else sends in its name',
};
const REFUSAL_REMEDIES: Readonly<Record<RefusedDeliveries['reason'], string>> = {
  clock: 'synchronise the clock of its Koha (timedatectl set-ntp true)',
  library: "correct the library's id on the configuration page of its plugin",
  signature: 'run passport doctor for it: the plugin proves there which secret it has',
};

/** `unknown`: see {@link openRefusedDeliveries}. No library has this id. */
const UNKNOWN_SENDER = 'unknown';

function* findRefusals(
  refused: ReadonlyMap<string, RefusedDeliveries>,
  libraries: readonly string[],
): Findings {
  const known = new Set(libraries);
  for (const [library, seen] of refused) {
    const times = seen.count === 1 ? 'once' : `${seen.count} times`;
    const since = `since ${localTime(seen.since_ms)} (${times})`;
    if (library === UNKNOWN_SENDER) {
      const problem = `deliveries under an id that no library has were refused ${since}`;
      const remedy = 'compare the ids in the plugins with the configuration (passport doctor)';
      yield warning('unknown_sender', problem, remedy);
    } else if (known.has(library)) {
      const problem = `is refused by the receiver ${since}: ${WHY_REFUSED[seen.reason](seen)}`;
      yield fault('deliveries_refused', problem, REFUSAL_REMEDIES[seen.reason], { library });
    }
  }
}

function* findUnreadable(jobs: readonly string[]): Findings {
  const [first] = jobs;
  if (first === undefined) return;
  const subject = jobs.length === 1 ? 'the job of 1 scan' : `the jobs of ${jobs.length} scans`;
  const problem = `${subject} failed because this version cannot read it, the first is ${first}`;
  yield fault('unreadable_job', problem, 'upgrade the older workers, then discard it on the dashboard');
}

function* findRefusedReports(states: readonly LibraryState[]): Findings {
  for (const { library, reportsRefused, isOpen } of states) {
    // A library that is away takes no reports either, and is shown as away.
    if (reportsRefused === null || isOpen) continue;
    const { sinceMs, code } = reportsRefused;
    const problem = `takes no reports since ${localTime(sinceMs)} (${code}): its desks do not see what became of a scan`;
    const remedy = 'enable the plugin in its Koha, or install it; passport doctor says which';
    yield fault('reports_refused', problem, remedy, { library });
  }
}
