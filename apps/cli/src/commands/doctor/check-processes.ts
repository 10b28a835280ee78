import type { SeenProcess } from '@passport/queue';
import { type Finding, fault, warning } from './finding.ts';

const START_WORKER = 'docker compose up -d worker; see PassportNoWorker in the runbook';
const START_RECEIVER = 'docker compose up -d receiver; see PassportReceiverGone in the runbook';
const UPGRADE = 'upgrade what is older, in the order of the runbook (Upgrade)';
const LOOK = 'look at its log and at its machine';

const where = ({ kind, host }: SeenProcess): string => `the ${kind} on ${host}`;

/** What the processes should have: the version of this command, and the configuration file as it is here. */
interface Wanted {
  readonly version: string;
  readonly fileHash: string;
}

/** Whether a process has the configuration that is in the file; one of an earlier version does not say. */
function checkConfig(process: SeenProcess, fileHash: string): Finding[] {
  const { config, refused, host } = process;
  if (refused !== null) {
    const [first = ''] = refused.problems;
    const problem = `${where(process)} has refused the configuration: ${first}`;
    return [
      fault(
        'config_refused',
        problem,
        'correct it (passport config check), then passport config reload',
        host,
      ),
    ];
  }
  if (config === null || config.hash === fileHash) return [];
  const problem = `${where(process)} has another configuration (${config.hash}) than the file here (${fileHash})`;
  return [warning('config_differs', problem, 'passport config reload', host)];
}

const TRUST =
  'set TRUST_PROXY to the proxy that is in front of it (uniquelocal with compose, loopback on this machine), and restart; see TRUST_PROXY in reverse-proxy.md';
const ONE_ADDRESS = {
  dashboard:
    'wrong passwords of any stranger lock out, with the right password, everybody who is not logged in yet',
  receiver: 'they have 256 connections together, and strangers use them up',
};

function checkAddress(process: SeenProcess): Finding[] {
  const { kind, host, shares_address: sharesAddress } = process;
  if (!sharesAddress || kind === 'worker') return [];
  const problem = `${where(process)} takes all its clients for one address, behind a proxy that it does not trust or in a container: ${ONE_ADDRESS[kind]}`;
  return [warning('shared_address', problem, TRUST, host)];
}

/**
 * Whether the processes that are needed are live, and of the version of this command: a rolling upgrade is a warning, a worker of
 * no such version a fault.
 */
export function checkProcesses(processes: readonly SeenProcess[], { version, fileHash }: Wanted): Finding[] {
  const live = processes.filter(({ isLive }) => isLive);
  const workers = live.filter(({ kind }) => kind === 'worker');
  const others = live.filter((each) => each.version !== version);
  const isCurrent = workers.some((worker) => worker.version === version);
  const gone = processes.filter(({ isLive }) => !isLive);
  return [
    ...(workers.length === 0
      ? [fault('no_worker', 'no worker is live: events are accepted and not processed', START_WORKER)]
      : []),
    ...(live.some(({ kind }) => kind === 'receiver')
      ? []
      : [fault('no_receiver', 'no receiver is live', START_RECEIVER)]),
    ...others.map((each) => {
      const problem = `${where(each)} is of version ${each.version}, and this command of ${version}`;
      const isFault = each.kind === 'worker' && !isCurrent;
      return (isFault ? fault : warning)('process_version', problem, UPGRADE, each.host);
    }),
    ...live.flatMap((each) => [...checkConfig(each, fileHash), ...checkAddress(each)]),
    ...gone.map((each) =>
      warning('process_gone', `${where(each)} has disappeared without being stopped`, LOOK, each.host),
    ),
  ];
}
