import { startCommand } from '@passport/contract';
import type { DoctorConfig, Library, NotifiedEndpoint } from '@passport/config';
import { addressOf } from '@passport/notify';
import { readRedis } from '@passport/queue/metrics';
import { openNotices } from '@passport/queue/notices';
import { readProcesses, type SeenProcess } from '@passport/queue/processes';
import { buildReceiverClient } from '../../connect/receiver-client.ts';
import { withQueueOf } from '../../connect/with-queue.ts';
import { type CliDeps, Failure } from '../../program/index.ts';
import { type Finding, type Findings, fault, unchecked, warning } from '@passport/set-up';

/** The receiver's answer to the test event of each library, so many at a time. */
const AT_ONCE = 8;

/** Why the receiver refuses a library's test event, signed with the secret that this configuration has; null: it does not. */
async function testLibrary(receiverUrl: string, library: Library, deps: CliDeps): Promise<Failure | null> {
  try {
    await buildReceiverClient(receiverUrl, library, deps).test(deps.newId());
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function refusalOf({ id }: Library, { message, details }: Failure, isReloaded: boolean): Finding {
  const { status, reason } = details;
  const refused = (problem: string, remedy: string) => fault('receiver_refuses', problem, remedy, id);
  if (status === 429 || Number(status) >= 500) {
    const problem = `the receiver does not accept events of ${id} now (${String(status)})`;
    return refused(problem, "look at the receiver's log, and at Redis");
  }
  if (status === 401 && reason === 'clock') {
    const problem = 'the clock of this machine and that of the receiver are more than five minutes apart';
    return refused(problem, 'synchronise both (timedatectl set-ntp true)');
  }
  if (status === 401 && !isReloaded) {
    const problem = `not reloaded yet: the receiver does not know ${id} as the file here does`;
    return warning('not_reloaded', problem, 'passport config reload, then passport doctor again', id);
  }
  if (status === 401) {
    const problem = `the receiver does not know ${id} and the secret that the configuration has for it`;
    return refused(problem, 'restart the receivers with the current configuration and secrets');
  }
  return refused(message, 'set PASSPORT_RECEIVER to the address of the receiver');
}

async function checkReceiver(
  { receiverUrl }: DoctorConfig,
  libraries: readonly Library[],
  deps: CliDeps,
  isReloaded: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const senders = libraries.filter(({ enabled, webhookSecrets }) => enabled && webhookSecrets.length > 0);
  for (let next = 0; next < senders.length; next += AT_ONCE) {
    const some = senders.slice(next, next + AT_ONCE);
    const failures = await Promise.all(some.map((library) => testLibrary(receiverUrl, library, deps)));
    for (const [place, failure] of failures.entries()) {
      const library = some[place];
      if (failure === null || library === undefined) continue;
      if (failure.details['code'] === 'unreachable') {
        const remedy = 'start a receiver, or set PASSPORT_RECEIVER to its address as seen from here';
        return [fault('receiver_unreachable', failure.message, remedy)];
      }
      findings.push(refusalOf(library, failure, isReloaded));
    }
  }
  return findings;
}

/** Whether a Redis keeps what it is given. */
export function* checkRedis({ policy, keepsAof }: Awaited<ReturnType<typeof readRedis>>): Findings {
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
}

/** Whether messages to operators are sent: an endpoint that answered 410 gets no more. */
export function* checkNotify(
  endpoints: readonly NotifiedEndpoint[],
  stopped: Readonly<Record<string, string>>,
): Findings {
  for (const endpoint of endpoints) {
    const { name } = endpoint;
    if (stopped[name] !== addressOf(endpoint)) continue;
    const problem = `the endpoint ${name} of notify has answered 410: nothing more is sent there`;
    const remedy = `correct its url, or make it accept messages again and run passport notify test --name ${name}`;
    yield fault('notify_stopped', problem, remedy);
  }
}

const where = ({ kind, host }: SeenProcess): string => `the ${kind} on ${host}`;

/** What the processes should have: the version of this command, and the configuration file as it is here. */
interface Wanted {
  readonly version: string;
  readonly fileHash: string;
  /** How the service was installed, as `PASSPORT_INSTALL` says it. */
  readonly install?: string | undefined;
}

/** Whether a process has the configuration that is in the file; one of an earlier version does not say. */
function* checkConfig(process: SeenProcess, fileHash: string): Findings {
  const { config, refused, host } = process;
  if (refused !== null) {
    const problem = `${where(process)} has refused the configuration: ${refused.problems[0] ?? ''}`;
    const remedy = 'correct it (passport config check), then passport config reload';
    yield fault('config_refused', problem, remedy, host);
  } else if (config !== null && config.hash !== fileHash) {
    const problem = `${where(process)} has another configuration (${config.hash}) than the file here (${fileHash})`;
    yield warning('config_differs', problem, 'passport config reload', host);
  }
}

const TRUST =
  'set TRUST_PROXY to the proxy that is in front of it (uniquelocal with compose, loopback on this machine), and restart; see TRUST_PROXY in reverse-proxy.md';
const ONE_ADDRESS = {
  dashboard:
    'wrong passwords of any stranger lock out, with the right password, everybody who is not logged in yet',
  receiver: 'they have 256 connections together, and strangers use them up',
};

function* checkSharedAddress(process: SeenProcess): Findings {
  const { kind, host, shares_address: sharesAddress } = process;
  if (!sharesAddress || kind === 'worker') return;
  const problem = `${where(process)} takes all its clients for one address, behind a proxy that it does not trust or in a container: ${ONE_ADDRESS[kind]}`;
  yield warning('shared_address', problem, TRUST, host);
}

/**
 * Whether the processes that are needed are live, and of the version of this command: a rolling upgrade is a warning, a worker of
 * no such version a fault.
 */
export function* checkProcesses(
  processes: readonly SeenProcess[],
  { version, fileHash, install }: Wanted,
): Findings {
  const live = processes.filter(({ isLive }) => isLive);
  const workers = live.filter(({ kind }) => kind === 'worker');
  if (workers.length === 0) {
    const remedy = `${startCommand('worker', install)}; see PassportNoWorker in the runbook`;
    yield fault('no_worker', 'no worker is live: events are accepted and not processed', remedy);
  }
  if (!live.some(({ kind }) => kind === 'receiver')) {
    const remedy = `${startCommand('receiver', install)}; see PassportReceiverGone in the runbook`;
    yield fault('no_receiver', 'no receiver is live', remedy);
  }
  const isCurrent = workers.some((worker) => worker.version === version);
  for (const other of live.filter((each) => each.version !== version)) {
    const problem = `${where(other)} is of version ${other.version}, and this command of ${version}`;
    const remedy = 'upgrade what is older, in the order of the runbook (Upgrade)';
    const isFault = other.kind === 'worker' && !isCurrent;
    yield (isFault ? fault : warning)('process_version', problem, remedy, other.host);
  }
  for (const process of live) {
    yield* checkConfig(process, fileHash);
    yield* checkSharedAddress(process);
  }
  for (const gone of processes.filter(({ isLive }) => !isLive)) {
    const problem = `${where(gone)} has disappeared without being stopped`;
    yield warning('process_gone', problem, 'look at its log and at its machine', gone.host);
  }
}

async function checkQueue(
  { consortium, redisUrl, fileHash }: DoctorConfig,
  { version, env }: CliDeps,
): Promise<Finding[]> {
  if (redisUrl === null) {
    const problem = 'Redis and the workers: REDIS_URL is not set here';
    return [unchecked('redis_unreachable', problem, 'set REDIS_URL as the service has it')];
  }
  try {
    return await withQueueOf({ consortium, redisUrl, fileHash }, async ({ redis }) => [
      ...checkRedis(await readRedis(redis)),
      ...checkProcesses(await readProcesses(redis), { version, fileHash, install: env['PASSPORT_INSTALL'] }),
      ...checkNotify(consortium.notify, await openNotices(redis).readStopped()),
    ]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = 'start Redis, or correct REDIS_URL; see PassportRedisDown in the runbook';
    return [fault('redis_unreachable', error.message, remedy)];
  }
}

/** Examines the service itself: whether the receiver knows these libraries as the configuration does, and what is behind it. */
export async function checkService(
  service: DoctorConfig,
  libraries: readonly Library[],
  deps: CliDeps,
): Promise<Finding[]> {
  const queue = await checkQueue(service, deps);
  const isReloaded = !queue.some(({ code }) => code === 'config_differs');
  return [...(await checkReceiver(service, libraries, deps, isReloaded)), ...queue];
}
